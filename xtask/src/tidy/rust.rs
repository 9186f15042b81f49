//! Just enough of Rust's grammar to tell code from comments, and a library from its tests.

/// A source file, line by line.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) lines: Vec<Line>,
    /// Modules declared as `#[cfg(test)] mod name;`: their files are tests too.
    pub(crate) test_modules: Vec<String>,
}

/// One line, three ways.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// Without comments.
    pub(crate) code: String,
    /// Without comments and without what stands in quotes.
    pub(crate) bare: String,
    /// The text of an ordinary comment; documentation is not here.
    pub(crate) comment: String,
    /// Only compiled for tests.
    pub(crate) test: bool,
}

impl Source {
    pub(crate) fn parse(text: &str) -> Self {
        let mut source = Self { lines: Lexer::new(text).run(), test_modules: Vec::new() };
        source.mark_tests();
        source
    }

    /// For a file that belongs to a test as a whole.
    pub(crate) fn mark_all_as_test(&mut self) {
        self.lines.iter_mut().for_each(|line| line.test = true);
    }

    fn mark_tests(&mut self) {
        let chars: Vec<(usize, char)> = self
            .lines
            .iter()
            .enumerate()
            .flat_map(|(number, line)| line.bare.chars().chain(['\n']).map(move |c| (number, c)))
            .collect();
        let mut rest = chars.as_slice();
        while let Some(&(first, c)) = rest.first() {
            let Some(attribute) = (c == '#').then(|| attribute(rest)).flatten() else {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            };
            rest = rest.get(attribute.length..).unwrap_or_default();
            if !is_test_only(&attribute.text) {
                continue;
            }
            if attribute.text.starts_with("#!") {
                self.mark_all_as_test();
                return;
            }
            let item = item(rest);
            let last = rest.get(item.chars().count().saturating_sub(1)).map_or(first, |end| end.0);
            for line in self.lines.iter_mut().take(last + 1).skip(first) {
                line.test = true;
            }
            self.test_modules.extend(declared_module(&item));
        }
    }
}

struct Attribute {
    text: String,
    length: usize,
}

/// The attribute at the start of `rest`, without its white space.
fn attribute(rest: &[(usize, char)]) -> Option<Attribute> {
    let mut text = String::new();
    let mut depth = 0_usize;
    for (index, &(_, c)) in rest.iter().enumerate() {
        if c.is_whitespace() {
            continue;
        }
        text.push(c);
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '#' | '!' if depth == 0 => continue,
            _ if depth == 0 => return None,
            _ => {}
        }
        if c == ']' && depth == 0 {
            return Some(Attribute { text, length: index + 1 });
        }
    }
    None
}

/// `any(test, …)` is not: that code also ships.
fn is_test_only(attribute: &str) -> bool {
    let condition = attribute.trim_start_matches(['#', '!', '[']);
    let Some(condition) = condition.strip_prefix("cfg(") else { return false };
    if condition.starts_with("test)") {
        return true;
    }
    condition.strip_prefix("all(").is_some_and(|all| {
        let terms = all.trim_end_matches([']', ')']).split(',');
        terms.into_iter().any(|term| term == "test")
    })
}

/// From after an attribute to the end of what it stands on: a semicolon, or a block with its end.
fn item(rest: &[(usize, char)]) -> String {
    let mut text = String::new();
    let mut braces = 0_usize;
    let mut others = 0_usize;
    for &(_, c) in rest {
        if c == '}' && braces == 0 {
            // The block around the item ends: it was a field or the like.
            return text;
        }
        text.push(c);
        match c {
            '{' => braces += 1,
            '}' => braces -= 1,
            '(' | '[' => others += 1,
            ')' | ']' => others = others.saturating_sub(1),
            _ => {}
        }
        if braces == 0 && others == 0 && matches!(c, '}' | ';') {
            return text;
        }
    }
    text
}

/// `x` in `mod x;`.
fn declared_module(item: &str) -> Option<String> {
    let mut words = item.strip_suffix(';')?.split_whitespace();
    let name = words.next_back()?;
    (words.next_back()? == "mod").then(|| name.to_owned())
}

/// Splits a text into lines, dropping comments and telling strings from code.
struct Lexer {
    chars: Vec<char>,
    next: usize,
    lines: Vec<Line>,
    line: Line,
}

impl Lexer {
    fn new(text: &str) -> Self {
        let chars = text.chars().filter(|c| *c != '\r').collect();
        Self { chars, next: 0, lines: Vec::new(), line: Line::default() }
    }

    fn run(mut self) -> Vec<Line> {
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                ('/', Some('/')) => self.line_comment(),
                ('/', Some('*')) => self.block_comment(),
                ('"', _) => self.string(),
                ('r', Some('"' | '#')) => self.raw_string_or_word(),
                ('\'', _) => self.char_or_lifetime(),
                _ if is_word(c) => self.word(),
                _ => self.code(),
            }
        }
        self.lines.push(self.line);
        self.lines
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.next + ahead).copied()
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == Some(c))
    }

    /// Takes one character and, at the end of a line, turns the page.
    fn take(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.next += 1;
        if c == '\n' {
            self.lines.push(std::mem::take(&mut self.line));
        }
        Some(c)
    }

    fn code(&mut self) {
        if let Some(c) = self.take().filter(|c| *c != '\n') {
            self.line.code.push(c);
            self.line.bare.push(c);
        }
    }

    fn quoted(&mut self) {
        if let Some(c) = self.take().filter(|c| *c != '\n') {
            self.line.code.push(c);
        }
    }

    fn word(&mut self) {
        while self.peek(0).is_some_and(is_word) {
            // The `r` of `br"…"` starts a raw string, that of `for` or `r#type` does not.
            if self.starts_with("r\"") || self.starts_with("r#") {
                return self.raw_string_or_word();
            }
            self.code();
        }
    }

    fn line_comment(&mut self) {
        let documentation =
            self.starts_with("//!") || self.starts_with("///") && !self.starts_with("////");
        while self.peek(0).is_some_and(|c| c != '\n') {
            if let Some(c) = self.take().filter(|_| !documentation) {
                self.line.comment.push(c);
            }
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            if self.starts_with("/*") {
                depth += 1;
                self.take();
            } else if self.starts_with("*/") {
                depth -= 1;
                self.take();
            }
            if self.take().is_none() || depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.code();
        while let Some(c) = self.peek(0).filter(|c| *c != '"') {
            self.quoted();
            if c == '\\' {
                self.quoted();
            }
        }
        self.code();
    }

    fn raw_string_or_word(&mut self) {
        self.code();
        let mut hashes = 0;
        while self.peek(hashes) == Some('#') {
            hashes += 1;
        }
        if self.peek(hashes) != Some('"') {
            return;
        }
        let end = format!("\"{}", "#".repeat(hashes));
        (0..=hashes).for_each(|_| self.code());
        while self.peek(0).is_some() && !self.starts_with(&end) {
            self.quoted();
        }
        (0..=hashes).for_each(|_| self.code());
    }

    fn char_or_lifetime(&mut self) {
        self.code();
        match (self.peek(0), self.peek(1)) {
            (Some('\\'), _) => {
                self.quoted();
                self.quoted();
                while self.peek(0).is_some_and(|c| c != '\'') {
                    self.quoted();
                }
                self.code();
            }
            (Some(_), Some('\'')) => {
                self.quoted();
                self.code();
            }
            _ => {}
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The identifiers and numbers of a line, each with the text before and after it.
pub(crate) fn words(line: &str) -> impl Iterator<Item = Word<'_>> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let start = rest.find(is_word)?;
        let tail = rest.get(start..)?;
        let length = tail.find(|c| !is_word(c)).unwrap_or(tail.len());
        let (text, after) = tail.split_at_checked(length)?;
        let before = line.get(..line.len() - tail.len())?;
        rest = after;
        Some(Word { before, text, after })
    })
}

pub(crate) struct Word<'a> {
    pub(crate) before: &'a str,
    pub(crate) text: &'a str,
    pub(crate) after: &'a str,
}

#[cfg(test)]
mod tests;
