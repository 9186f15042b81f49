//! A layer's service answers with the inner service's response type and fails only as it does.

use crate::tidy::{Finding, repo::Repo};

/// Measures the body, and so has to wrap it.
const OWN_RESPONSE: &str = "audit-log";

/// Is around a client: there an error is what a refusal is, and `BoxError` what layers of clients fail with.
const CLIENT_SIDE: &str = "crates/passthrough-guard/src/outbound/";

/// Is a server, not a layer.
const SERVER: &str = "test-issuer";

pub(super) fn check(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut block: Option<Block> = None;
    for at in repo.shipped_lines().filter(|at| at.folder != SERVER) {
        let code = at.line.bare.trim();
        if block.is_none() && (code.starts_with("impl<") || code.starts_with("impl ")) {
            block = Some(Block::default());
        }
        let Some(open) = &mut block else { continue };
        let ended = open.read(code);
        if let Some((name, value)) = open.associated_type()
            && open.is_service_impl()
            && !open.comes_from_the_inner_service(name, value)
        {
            let message = match name {
                "Error" if at.path.starts_with(CLIENT_SIDE) => continue,
                "Error" => "refuse with a response and write `type Error = S::Error`",
                _ if at.folder == OWN_RESPONSE => continue,
                _ => {
                    "write `S::Response`, or the type that the bound on `S` names: what goes into \
                     a refusal is the renderer's affair"
                }
            };
            findings.push(Finding::at(at.path, at.number, message));
        }
        if ended {
            block = None;
        }
    }
    findings
}

/// An `impl` while it is being read.
#[derive(Default)]
struct Block {
    /// Up to the first brace, without white space.
    header: String,
    in_body: bool,
    depth: usize,
    /// What has been read since the last line that ended in a semicolon or a brace.
    statement: String,
}

impl Block {
    /// Takes one more line; true when it ends the block.
    fn read(&mut self, code: &str) -> bool {
        if self.statement.ends_with([';', '{', '}']) {
            self.statement.clear();
        }
        self.statement.push_str(code);
        for c in code.chars() {
            match c {
                '{' => {
                    self.in_body = true;
                    self.depth += 1;
                }
                '}' => self.depth = self.depth.saturating_sub(1),
                _ if !self.in_body && !c.is_whitespace() => self.header.push(c),
                _ => {}
            }
        }
        self.in_body && self.depth == 0
    }

    /// `Error` and `S::Error` if what was just read is `type Error = S::Error;`.
    fn associated_type(&self) -> Option<(&str, &str)> {
        let statement = self.statement.strip_prefix("type ")?.strip_suffix(';')?;
        let (name, value) = statement.split_once('=')?;
        let name = name.trim();
        matches!(name, "Error" | "Response").then(|| (name, value.trim()))
    }

    /// `impl<…> Service<Request<B>> for X`, and not merely a bound on `Service`.
    fn is_service_impl(&self) -> bool {
        let Some(after_generics) = skip_generics(self.header.trim_start_matches("impl")) else {
            return false;
        };
        let path = after_generics.split('<').next().unwrap_or_default();
        path.rsplit("::").next() == Some("Service")
    }

    /// `S::Error`, or what the header says the inner service's is: `Error = E`.
    fn comes_from_the_inner_service(&self, name: &str, value: &str) -> bool {
        let value = value.replace(char::is_whitespace, "");
        let projected = value.strip_suffix(name).and_then(|rest| rest.strip_suffix("::"));
        let is_projection =
            projected.is_some_and(|of| of.chars().all(|c| c.is_alphanumeric() || c == '_'));
        let bound = format!("{name}={value}");
        let is_bound = self.header.match_indices(&bound).any(|(index, _)| {
            let end = self.header.get(index + bound.len()..).and_then(|rest| rest.chars().next());
            matches!(end, Some(',' | '>'))
        });
        is_projection || is_bound
    }
}

/// What follows a leading `<…>`, if there is one.
fn skip_generics(header: &str) -> Option<&str> {
    if !header.starts_with('<') {
        return Some(header);
    }
    let mut depth = 0_usize;
    let mut previous = ' ';
    for (index, c) in header.char_indices() {
        match c {
            '<' => depth += 1,
            // Not the arrow of `Fn() -> T`.
            '>' if previous != '-' => depth = depth.saturating_sub(1),
            _ => {}
        }
        previous = c;
        if depth == 0 {
            return header.get(index + 1..);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    const GOOD: &str = "impl<S, F, ReqBody, ResBody> Service<Request<ReqBody>> for Limit<S, F>\n\
        where\n    S: Service<Request<ReqBody>, Response = Response<ResBody>>,\n\
        F: Fn() -> u8,\n{\n    type Response = Response<ResBody>;\n    type Error = S::Error;\n}\n";

    fn found(folder: &str, text: &str) -> Vec<usize> {
        let path = format!("crates/{folder}/src/service.rs");
        places(&check(&Repo::of(&[(&path, text)]))).into_iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn what_comes_from_the_inner_service_is_fine() {
        let rows = [
            ("a bound", GOOD.to_owned()),
            ("a projection", GOOD.replace("= Response<ResBody>;", "= S::Response;")),
            ("two lines", GOOD.replace("type Response =", "type Response =\n       ")),
            ("a path", GOOD.replace("> Service<", "> tower_service::Service<")),
            ("not a service", "impl Iterator for X { type Error = Y; }".to_owned()),
            (
                "a bound on one",
                "impl<S: Service<R>> Future for X<S> {\n type Error = Y;\n}".to_owned(),
            ),
        ];
        for (name, text) in rows {
            assert_eq!(found("rate-limit", &text), [0; 0], "{name}");
        }
    }

    #[test]
    fn an_error_or_a_response_of_its_own_is_found() {
        let rows = [
            ("an error", GOOD.replace("S::Error", "BoxError"), 7),
            (
                "an error, past an arrow",
                GOOD.replace("impl<S, F,", "impl<S, F: Fn() -> u8,")
                    .replace("S::Error", "BoxError"),
                7,
            ),
            (
                "an error, after another block",
                format!("impl X {{\n}}\n{}", GOOD.replace("S::Error", "BoxError")),
                9,
            ),
            ("an error made of two", GOOD.replace("S::Error", "Either<S::Error, Refused>"), 7),
            ("a response", GOOD.replace("= Response<ResBody>;", "= Response<BoxBody>;"), 6),
            (
                "one whose name begins like the bound",
                GOOD.replace("Response<ResBody>>,", "Answers>,")
                    .replace("= Response<ResBody>;", "= Answer;"),
                6,
            ),
        ];
        for (name, text, line) in rows {
            assert_eq!(found("rate-limit", &text), [line], "{name}");
        }
    }

    #[test]
    fn audit_log_wraps_the_body_and_adds_no_error() {
        let wrapped = GOOD.replace("= Response<ResBody>;", "= Response<AuditBody<ResBody>>;");
        assert_eq!(found("audit-log", &wrapped), [0; 0]);
        assert_eq!(found("audit-log", &wrapped.replace("S::Error", "BoxError")), [7]);
    }

    #[test]
    fn around_a_client_an_error_is_a_refusal_and_a_response_is_not() {
        let boxed = GOOD.replace("S::Error", "BoxError");
        assert_eq!(found("passthrough-guard/src/outbound", &boxed), [0; 0]);
        let answer = boxed.replace("= Response<ResBody>;", "= Response<BoxBody>;");
        assert_eq!(found("passthrough-guard/src/outbound", &answer), [6]);
        assert_eq!(found("passthrough-guard", &boxed), [7], "its other layer is a layer");
    }
}
