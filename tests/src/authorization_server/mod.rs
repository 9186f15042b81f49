//! A certified authorization server, in a process of its own. See `tests/authorization-server/README.md`.

mod exchange;
mod sign_in;
mod tokens;

use std::{fmt, io::ErrorKind, net::SocketAddr, path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};
use tower::BoxError;

use self::exchange::Http;
pub use self::{exchange::Answer, sign_in::SignedIn};

/// A start takes a quarter of a second, and a busy machine may take its time.
const PATIENCE: Duration = Duration::from_secs(60);
const NOT_INSTALLED: &str = "the authorization server of the tests is not installed. To install it and run all \
                             tests: cargo xtask test";

/// The client whose secret is `<id>-secret`, as those of all clients are.
pub const APP: &str = "app";
/// A client that may ask what a token is worth.
pub const RESOURCE_SERVER: &str = "resource-server";

/// The form of access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// RFC 9068, signed in this algorithm. There must be a key for it.
    Jwt(&'static str),
    /// Random text that only the server knows.
    Opaque,
}

/// npm's `oidc-provider`, started for one test. It has one key, for ES256, and issues ten-minute tokens in that
/// algorithm until told otherwise.
///
/// It ends with this value; and by itself when its input ends, so it also ends when the test is killed.
pub struct AuthorizationServer {
    issuer: String,
    address: SocketAddr,
    http: Http,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    process: Child,
}

impl AuthorizationServer {
    /// Starts one, on a loopback port that the system chooses.
    ///
    /// # Errors
    ///
    /// If it does not start. Where it is not installed, the error says what to do.
    pub async fn start() -> Result<Self, BoxError> {
        Self::spawn(&[]).await
    }

    /// Starts one that is called `issuer`: the address of a proxy in front of it, which must keep `Host`.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub async fn start_as(issuer: &str) -> Result<Self, BoxError> {
        Self::spawn(&["--issuer", issuer]).await
    }

    async fn spawn(arguments: &[&str]) -> Result<Self, BoxError> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("authorization-server");
        if !folder.join("node_modules/oidc-provider").is_dir() {
            return Err(NOT_INSTALLED.into());
        }
        let started = Command::new("node")
            .arg("server.mjs")
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut process = started.map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                NOT_INSTALLED.into()
            } else {
                BoxError::from(error)
            }
        })?;
        let commands = process.stdin.take().ok_or("it has no input")?;
        let answers = BufReader::new(process.stdout.take().ok_or("it has no output")?).lines();
        let address = ([127, 0, 0, 1], 0).into();
        let http = Http::new();
        let mut server = Self { issuer: String::new(), address, http, commands, answers, process };
        let first = server.answer().await?;
        server.issuer = text(&first, "issuer")?;
        server.address = text(&first, "address")?.parse()?;
        Ok(server)
    }

    /// Who it is.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets for which resources it issues tokens from now on, and with which scopes.
    ///
    /// # Errors
    ///
    /// If the server is gone.
    pub async fn serve(&mut self, resources: &[&str], scopes: &[&str]) -> Result<(), BoxError> {
        self.tell(&json!({ "do": "serve", "resources": resources, "scopes": scopes }))
            .await
            .map(drop)
    }

    /// Sets whether people who sign in see a form. If not, whoever comes is `alice`.
    ///
    /// # Errors
    ///
    /// If the server is gone.
    pub async fn ask_people(&mut self, form: bool) -> Result<(), BoxError> {
        self.tell(&json!({ "do": "ask-people", "form": form })).await.map(drop)
    }

    /// Sets whether proofs of possession need a nonce at the token endpoint (RFC 9449 §8).
    ///
    /// # Errors
    ///
    /// If the server is gone.
    pub async fn demand_nonces(&mut self, demand: bool) -> Result<(), BoxError> {
        self.tell(&json!({ "do": "demand-nonces", "demand": demand })).await.map(drop)
    }

    /// Makes a key, which signs from now on. Earlier keys stay published. Gives back its `kid`.
    ///
    /// # Errors
    ///
    /// If the server does not know the algorithm.
    pub async fn add_key(&mut self, algorithm: &str) -> Result<String, BoxError> {
        let answer = self.tell(&json!({ "do": "add-key", "alg": algorithm })).await?;
        text(&answer, "kid")
    }

    /// Publishes a key no longer.
    ///
    /// # Errors
    ///
    /// If there is no such key.
    pub async fn withdraw_key(&mut self, kid: &str) -> Result<(), BoxError> {
        self.tell(&json!({ "do": "withdraw-key", "kid": kid })).await.map(drop)
    }

    /// Sets the form and the lifetime of the access tokens to come.
    ///
    /// # Errors
    ///
    /// If the server is gone.
    pub async fn issue(&mut self, form: Form, lifetime: Duration) -> Result<(), BoxError> {
        let (format, alg) = match form {
            Form::Jwt(algorithm) => ("jwt", algorithm),
            Form::Opaque => ("opaque", "ES256"),
        };
        let seconds = lifetime.as_secs();
        self.tell(&json!({ "do": "issue", "format": format, "alg": alg, "seconds": seconds }))
            .await
            .map(drop)
    }

    /// Moves its clock forward.
    ///
    /// # Errors
    ///
    /// If the server is gone.
    pub async fn advance(&mut self, by: Duration) -> Result<(), BoxError> {
        self.tell(&json!({ "do": "advance", "seconds": by.as_secs() })).await.map(drop)
    }

    /// The private key with which the client `resource-server-key` authenticates: `jwk`, and `pem` in PKCS #8.
    ///
    /// # Errors
    ///
    /// If the server is gone.
    pub async fn client_key(&mut self) -> Result<Value, BoxError> {
        self.tell(&json!({ "do": "client-key" })).await
    }

    /// Ends it by ending its input, and waits until it is gone.
    ///
    /// # Errors
    ///
    /// If it goes on.
    pub async fn stop(self) -> Result<(), BoxError> {
        let Self { commands, mut process, .. } = self;
        drop(commands);
        let status = timeout(PATIENCE, process.wait()).await??;
        if status.success() { Ok(()) } else { Err(format!("it ended with {status}").into()) }
    }

    async fn tell(&mut self, command: &Value) -> Result<Value, BoxError> {
        self.commands.write_all(format!("{command}\n").as_bytes()).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<Value, BoxError> {
        let line = timeout(PATIENCE, self.answers.next_line()).await??;
        let answer: Value = serde_json::from_str(&line.ok_or("the authorization server ended")?)?;
        match answer.get("error") {
            Some(error) => Err(format!("the authorization server says: {error}").into()),
            None => Ok(answer),
        }
    }
}

impl fmt::Debug for AuthorizationServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationServer").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// A member that must be there and a string.
fn text(json: &Value, name: &str) -> Result<String, BoxError> {
    let value = json.get(name).and_then(Value::as_str);
    value.map(ToOwned::to_owned).ok_or_else(|| format!("no `{name}` in {json}").into())
}
