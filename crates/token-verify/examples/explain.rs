//! Says why a token is accepted or not, rule by rule. See "Why was this token refused?" in the README.
//!
//! The token comes from standard input and never from the command line, which ends in the history of
//! the shell and in the list of processes. No part of it is printed.
#![expect(clippy::print_stderr, reason = "a program for people")]

use std::{
    env, fs,
    io::{self, Read, Write},
    process::ExitCode,
    time::{Duration, SystemTime},
};

use palisade_core::{Clock, SystemClock};
use palisade_token_verify::{
    Issuer,
    keys::StaticKeys,
    trust::{Trust, TrustedIssuer, Verdict},
};

const USAGE: &str = "\
Usage: explain --trust FILE [--jwks FILE] [--at SECONDS] < token
       explain --issuer URL [--accept-type TYPE]... [--jwks FILE] [--at SECONDS] < token

  --trust FILE        whom to trust, in TOML; needs the feature `toml`
  --issuer URL        the issuer, held to RFC 9068
  --accept-type TYPE  one more `typ`, such as JWT
  --jwks FILE         the JWK Set of the issuer; without it, signatures are not checked
  --at SECONDS        the time, in seconds since 1970; now, if not given

Ends with 0 if the token is accepted, 1 if it is refused, 3 if that depends on the signature.";

/// A token is far smaller. What is longer is explained as too long.
const MAX_INPUT: u64 = 1024 * 1024;

type BoxError = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run(env::args().skip(1)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<ExitCode, BoxError> {
    let (mut trust, mut issuer, mut types, mut keys) = (None, None, Vec::new(), None);
    let mut at = SystemClock::new().now();
    while let Some(option) = arguments.next() {
        // What is no option may be the token: it is not repeated.
        if !option.starts_with("--") {
            return Err("give options only; the token comes from standard input".into());
        }
        let value = arguments.next().ok_or("an option has no value")?;
        match option.as_str() {
            "--trust" => trust = Some(from_toml(&fs::read_to_string(value)?)?),
            "--issuer" => issuer = Some(Issuer::parse(&value)?),
            "--accept-type" => types.push(value),
            "--jwks" => keys = Some(StaticKeys::from_jwks_json(&fs::read_to_string(value)?)?),
            "--at" => at = at_seconds(value.parse()?)?,
            _ => return Err("there is no such option".into()),
        }
    }
    let trust = match (trust, issuer) {
        (Some(trust), None) if types.is_empty() => trust,
        (None, Some(issuer)) => {
            let mut rules = TrustedIssuer::new(issuer);
            for typ in types {
                rules = rules.accept_type(&typ)?;
            }
            Trust::of([rules])?
        }
        _ => return Err("give either `--trust`, or `--issuer` and what belongs to it".into()),
    };

    let mut token = String::new();
    io::stdin().take(MAX_INPUT).read_to_string(&mut token)?;
    // `echo` and editors end a file with a line break, which is no part of the token.
    let token = token.trim_end_matches(['\r', '\n']);
    let explanation = match &keys {
        Some(keys) => trust.explain_with_keys(token, at, keys),
        None => trust.explain(token, at),
    };
    // `head` may have seen enough.
    let _ = write!(io::stdout(), "{explanation}");
    Ok(match explanation.verdict() {
        Verdict::Accepted => ExitCode::SUCCESS,
        Verdict::Undecided => ExitCode::from(3),
        Verdict::Refused(_) => ExitCode::FAILURE,
    })
}

#[cfg(feature = "toml")]
fn from_toml(text: &str) -> Result<Trust, BoxError> {
    Ok(Trust::from_toml(text)?)
}

#[cfg(not(feature = "toml"))]
fn from_toml(_: &str) -> Result<Trust, BoxError> {
    Err("`--trust` needs the feature `toml`: run with `--features toml`".into())
}

fn at_seconds(seconds: u64) -> Result<SystemTime, BoxError> {
    let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    at.ok_or_else(|| "`--at` is too far in the future".into())
}
