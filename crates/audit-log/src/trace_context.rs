//! `traceparent` (W3C Trace Context §3.2).

use std::fmt;

use http::{HeaderMap, HeaderName};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Version, trace, parent and flags with the dashes between them.
const LENGTH: usize = 55;

/// Which trace a request says it belongs to.
///
/// It is a claim of the caller, good for finding records that belong together and for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace_id: u128,
    parent_id: u64,
}

impl TraceContext {
    /// The context of a request, if there is exactly one `traceparent` and it is well-formed. Of any
    /// other nothing is taken over (Trace Context §3.2.2: "the vendor … restarts the trace").
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(TRACEPARENT).iter();
        match (lines.next(), lines.next()) {
            (Some(line), None) => Self::parse(line.to_str().ok()?),
            _ => None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (known, rest) = text.split_at_checked(LENGTH)?;
        let mut fields = known.split('-');
        let version = hex(fields.next()?, 2)?;
        let trace_id = hex(fields.next()?, 32)?;
        let parent_id = u64::try_from(hex(fields.next()?, 16)?).ok()?;
        hex(fields.next()?, 2)?;
        let fits = match version {
            0 => rest.is_empty(),
            0xFF => false,
            // §3.2.4: later versions may append fields, after a dash.
            _ => rest.is_empty() || rest.starts_with('-'),
        };
        (fits && trace_id != 0 && parent_id != 0).then_some(Self { trace_id, parent_id })
    }

    /// The trace. [`Display`](fmt::Display) writes it as Trace Context does, in 32 hexadecimal digits.
    #[must_use]
    pub const fn trace_id(&self) -> u128 {
        self.trace_id
    }

    /// The span of the caller, 16 hexadecimal digits when written.
    #[must_use]
    pub const fn parent_id(&self) -> u64 {
        self.parent_id
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.trace_id)
    }
}

/// Lower case only, no sign, exactly as long as demanded.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let fits =
        text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    fits.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    fn of(lines: &[&str]) -> Option<TraceContext> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(TRACEPARENT, line.parse().unwrap());
        }
        TraceContext::of(&headers)
    }

    #[test]
    fn reads_a_good_one() {
        for good in [
            format!("00-{TRACE}-b7ad6b7169203331-01"),
            format!("00-{TRACE}-b7ad6b7169203331-00"),
            format!("cc-{TRACE}-b7ad6b7169203331-01"),
            format!("cc-{TRACE}-b7ad6b7169203331-01-what-the-future-brings"),
        ] {
            let context = of(&[&good]).unwrap();
            assert_eq!(context.to_string(), TRACE, "{good}");
            assert_eq!(context.parent_id(), 0xb7ad_6b71_6920_3331, "{good}");
        }
    }

    #[test]
    fn log_10_a_spoofed_one_is_ignored() {
        let good = format!("00-{TRACE}-b7ad6b7169203331-01");
        for (name, lines) in [
            ("none", vec![]),
            ("two lines", vec![good.clone(), good.clone()]),
            ("upper case", vec![good.to_uppercase()]),
            ("not hexadecimal", vec![good.replace('7', "g")]),
            ("a sign", vec![good.replace("-0af", "-+af")]),
            ("zero trace", vec![format!("00-{}-b7ad6b7169203331-01", "0".repeat(32))]),
            ("zero parent", vec![format!("00-{TRACE}-0000000000000000-01")]),
            ("version ff", vec![good.replacen("00", "ff", 1)]),
            ("too long for its version", vec![format!("{good}-x")]),
            ("glued", vec![format!("{}x", good.replacen("00", "cc", 1))]),
            ("too short", vec![good.trim_end_matches('1').to_owned()]),
            ("dashes elsewhere", vec![good.replacen("0af7", "0-f7", 1)]),
            ("huge", vec!["0".repeat(10_240)]),
            ("empty", vec![String::new()]),
        ] {
            let lines: Vec<_> = lines.iter().map(String::as_str).collect();
            assert_eq!(of(&lines), None, "{name}");
        }
    }
}
