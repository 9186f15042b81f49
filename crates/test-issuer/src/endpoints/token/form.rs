use http::HeaderMap;
use http::header::CONTENT_TYPE;
use url::form_urlencoded;

use super::Refusal;

/// The parameters of a request.
pub(in crate::endpoints) struct Form(Vec<(String, String)>);

impl Form {
    pub(in crate::endpoints) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        if !is_form(headers) {
            return Err(Refusal::InvalidRequest(
                "the content type is not `application/x-www-form-urlencoded`",
            ));
        }
        let parameters = form_urlencoded::parse(body)
            // RFC 6749 section 3.2: "Parameters sent without a value MUST be treated as if they
            // were omitted from the request."
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Ok(Self(parameters))
    }

    pub(in crate::endpoints) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// RFC 6749 section 3.2: "parameters MUST NOT be included more than once". Whoever takes the
    /// first and whoever takes the last would read two requests.
    pub(in crate::endpoints) fn one(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(Refusal::InvalidRequest("a parameter was repeated")),
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    media_type.and_then(|value| value.split(';').next()).is_some_and(|essence| {
        essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}
