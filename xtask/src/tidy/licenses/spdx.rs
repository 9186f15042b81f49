//! SPDX licence expressions: `MIT OR (Apache-2.0 WITH LLVM-exception AND ISC)`.
//!
//! `AND` binds tighter than `OR`. An old form separates choices by `/`.

/// Whether someone who accepts only what `allowed` allows may use the package.
/// `None` if the expression makes no sense.
pub(super) fn is_satisfied(expression: &str, allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut parser = Parser { tokens: spaced.split_whitespace().collect(), next: 0, allowed };
    let satisfied = parser.choice()?;
    (parser.next == parser.tokens.len()).then_some(satisfied)
}

struct Parser<'a> {
    tokens: Vec<&'a str>,
    next: usize,
    allowed: &'a dyn Fn(&str) -> bool,
}

impl Parser<'_> {
    fn choice(&mut self) -> Option<bool> {
        let mut satisfied = self.combination()?;
        while self.take_if("OR") {
            satisfied |= self.combination()?;
        }
        Some(satisfied)
    }

    fn combination(&mut self) -> Option<bool> {
        let mut satisfied = self.term()?;
        while self.take_if("AND") {
            satisfied &= self.term()?;
        }
        Some(satisfied)
    }

    fn term(&mut self) -> Option<bool> {
        if self.take_if("(") {
            let satisfied = self.choice()?;
            return self.take_if(")").then_some(satisfied);
        }
        let license = self.name()?;
        // A licence with an exception is a licence of its own: both words must be listed together.
        if self.take_if("WITH") {
            let exception = self.name()?;
            return Some((self.allowed)(&format!("{license} WITH {exception}")));
        }
        Some((self.allowed)(&license))
    }

    fn name(&mut self) -> Option<String> {
        let token = *self.tokens.get(self.next)?;
        if matches!(token, "AND" | "OR" | "WITH" | "(" | ")") {
            return None;
        }
        self.next += 1;
        Some(token.to_owned())
    }

    fn take_if(&mut self, token: &str) -> bool {
        let is_next = self.tokens.get(self.next) == Some(&token);
        self.next += usize::from(is_next);
        is_next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_as_their_authors_meant_them() {
        let rows = [
            ("one", "MIT", Some(true)),
            ("another", "GPL-3.0-only", Some(false)),
            ("a choice", "GPL-3.0-only OR MIT", Some(true)),
            ("an old choice", "GPL-3.0-only/MIT", Some(true)),
            ("an old choice with spaces", "GPL-3.0-only / MIT", Some(true)),
            ("both", "MIT AND ISC", Some(true)),
            ("both, one not listed", "MIT AND GPL-3.0-only", Some(false)),
            ("and before or", "MIT OR GPL-3.0-only AND GPL-2.0-only", Some(true)),
            ("and before or, turned", "GPL-3.0-only AND MIT OR GPL-2.0-only", Some(false)),
            ("parentheses", "(MIT OR GPL-3.0-only) AND GPL-2.0-only", Some(false)),
            ("parentheses, fine", "(MIT OR GPL-3.0-only) AND ISC", Some(true)),
            ("nested", "((MIT))", Some(true)),
            ("an exception, listed", "Apache-2.0 WITH LLVM-exception", Some(true)),
            ("the licence without it", "Apache-2.0", Some(false)),
            ("the exception on another", "MIT WITH LLVM-exception", Some(false)),
            ("nothing", "", None),
            ("half", "MIT OR", None),
            ("open", "(MIT", None),
            ("closed", "MIT)", None),
            ("two", "MIT ISC", None),
            ("operators only", "OR AND", None),
            ("an empty exception", "MIT WITH", None),
        ];
        let list = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"];
        for (name, expression, expected) in rows {
            let satisfied = is_satisfied(expression, &|license| list.contains(&license));
            assert_eq!(satisfied, expected, "{name}");
        }
    }
}
