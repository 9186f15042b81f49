//! JSON (RFC 8259), read one character after the other into a tree that forgets nothing: duplicates stay, and
//! numbers stay text.

#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

pub struct Bounds {
    pub depth: usize,
    pub values: usize,
}

/// An object without duplicates at any depth, without NUL in a name, within the bounds.
pub fn object(bytes: &[u8], bounds: &Bounds) -> Option<Json> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = Reader { rest: text.chars().collect::<Vec<_>>(), at: 0 };
    reader.space();
    let value = reader.value(0)?;
    reader.space();
    let is_whole = reader.at == reader.rest.len();
    let is_object = matches!(value, Json::Object(_));
    (is_whole
        && is_object
        && value.depth() <= bounds.depth
        && value.count() <= bounds.values
        && value.has_good_names())
    .then_some(value)
}

struct Reader {
    rest: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += 1;
        Some(next)
    }

    fn eat(&mut self, text: &str) -> Option<()> {
        for wanted in text.chars() {
            if self.next()? != wanted {
                return None;
            }
        }
        Some(())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        // No bound of ours is higher, and the stack ends somewhere.
        if depth > 100 {
            return None;
        }
        match self.peek()? {
            'n' => self.eat("null").map(|()| Json::Null),
            't' => self.eat("true").map(|()| Json::Bool(true)),
            'f' => self.eat("false").map(|()| Json::Bool(false)),
            '"' => self.string().map(Json::Text),
            '[' => self.array(depth),
            '{' => self.members(depth),
            _ => self.number().map(Json::Number),
        }
    }

    fn array(&mut self, depth: usize) -> Option<Json> {
        self.eat("[")?;
        self.space();
        let mut items = Vec::new();
        if self.peek()? == ']' {
            self.at += 1;
            return Some(Json::Array(items));
        }
        loop {
            self.space();
            items.push(self.value(depth + 1)?);
            self.space();
            match self.next()? {
                ',' => {}
                ']' => return Some(Json::Array(items)),
                _ => return None,
            }
        }
    }

    fn members(&mut self, depth: usize) -> Option<Json> {
        self.eat("{")?;
        self.space();
        let mut members = Vec::new();
        if self.peek()? == '}' {
            self.at += 1;
            return Some(Json::Object(members));
        }
        loop {
            self.space();
            let name = self.string()?;
            self.space();
            self.eat(":")?;
            self.space();
            members.push((name, self.value(depth + 1)?));
            self.space();
            match self.next()? {
                ',' => {}
                '}' => return Some(Json::Object(members)),
                _ => return None,
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        self.eat("\"")?;
        let mut out = String::new();
        loop {
            match self.next()? {
                '"' => return Some(out),
                '\\' => match self.next()? {
                    same @ ('"' | '\\' | '/') => out.push(same),
                    'b' => out.push('\u{8}'),
                    'f' => out.push('\u{c}'),
                    'n' => out.push('\n'),
                    'r' => out.push('\r'),
                    't' => out.push('\t'),
                    'u' => out.push(self.escaped()?),
                    _ => return None,
                },
                control if control < ' ' => return None,
                other => out.push(other),
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        self.eat("\\u")?;
        let second = self.hex()?;
        if !(0xdc00..0xe000).contains(&second) {
            return None;
        }
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    fn hex(&mut self) -> Option<u32> {
        let mut value = 0;
        for _ in 0..4 {
            value = value * 16 + self.next()?.to_digit(16)?;
        }
        Some(value)
    }

    fn number(&mut self) -> Option<String> {
        let start = self.at;
        if self.peek()? == '-' {
            self.at += 1;
        }
        if self.peek()? == '0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some('.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.at += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let text: String = self.rest[start..self.at].iter().collect();
        // Too large for a number with a name.
        text.parse::<f64>().ok().filter(|value| value.is_finite())?;
        Some(text)
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|char| char.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

impl Json {
    /// How many containers are around the innermost, itself included.
    fn depth(&self) -> usize {
        match self {
            Self::Array(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Self::Object(members) => {
                1 + members.iter().map(|(_, value)| value.depth()).max().unwrap_or(0)
            }
            _ => 0,
        }
    }

    fn count(&self) -> usize {
        1 + match self {
            Self::Array(items) => items.iter().map(Self::count).sum(),
            Self::Object(members) => members.iter().map(|(_, value)| value.count()).sum(),
            _ => 0,
        }
    }

    fn has_good_names(&self) -> bool {
        match self {
            Self::Array(items) => items.iter().all(Self::has_good_names),
            Self::Object(members) => {
                for (index, (name, value)) in members.iter().enumerate() {
                    let is_repeated = members[..index].iter().any(|(other, _)| other == name);
                    if is_repeated || name.contains('\0') || !value.has_good_names() {
                        return false;
                    }
                }
                true
            }
            _ => true,
        }
    }

    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                members.iter().find(|(other, _)| other == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }
}
