//! A client in a process of its own. It says what it did in one JSON object a line: `{"step": …}`.

use std::{ffi::OsStr, fmt, path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
    time::timeout,
};
use tower::BoxError;

use crate::places;

/// A client is through in seconds, and a busy machine may take its time.
const PATIENCE: Duration = Duration::from_secs(90);
/// Of what a client has to complain about.
const MAX_COMPLAINT: usize = 16 << 10;

/// A client process. It ends with its test.
pub struct Client {
    steps: Vec<Value>,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    complaint: JoinHandle<String>,
    process: Child,
}

/// A client that is yet to start.
#[derive(Debug)]
#[must_use = "it runs when it is started"]
pub struct Ready(Command);

impl Client {
    /// A script in `clients/node`.
    ///
    /// # Errors
    ///
    /// If its packages are not installed.
    pub fn node(script: &str) -> Result<Ready, BoxError> {
        let folder = places::here().join("clients/node");
        places::installed(folder.join("node_modules"), "the TypeScript SDK")?;
        Ok(Self::program("node").arg(folder.join(script)))
    }

    /// A script in `clients/python`.
    ///
    /// # Errors
    ///
    /// If its packages are not installed.
    pub fn python(script: &str) -> Result<Ready, BoxError> {
        let script = places::here().join("clients/python").join(script);
        // What is compiled stays out of the repository, and what is printed does not wait.
        let ready = Self::program(places::python()?).arg(script);
        Ok(ready.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1"))
    }

    /// Any program. It is told to end with the thread of its test, however that ends. A browser's driver needs to be
    /// told, and not to be killed, or it leaves a browser behind.
    pub fn program(path: impl AsRef<Path>) -> Ready {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM"]).arg(path.as_ref());
        Ready(command)
    }

    /// Reads until the client says that it did this step, and gives back what it says about it.
    ///
    /// # Errors
    ///
    /// If the client ends before, fails, or takes too long: with what it complained about.
    pub async fn step(&mut self, name: &str) -> Result<Value, BoxError> {
        loop {
            let Some(step) = self.next().await? else {
                return Err(self.failure(&format!("it never said `{name}`")).await);
            };
            if step.get("step").and_then(Value::as_str) == Some(name) {
                return Ok(step);
            }
        }
    }

    /// What it said so far.
    #[must_use]
    pub fn steps(&self) -> &[Value] {
        &self.steps
    }

    /// Lets a client go on that says `waiting`.
    ///
    /// # Errors
    ///
    /// If it is gone.
    pub async fn go_on(&mut self) -> Result<(), BoxError> {
        Ok(self.input.write_all(b"\n").await?)
    }

    /// Sends a line to a client that waits for more than leave to go on.
    ///
    /// # Errors
    ///
    /// If it is gone.
    pub async fn tell(&mut self, what: &Value) -> Result<(), BoxError> {
        Ok(self.input.write_all(format!("{what}\n").as_bytes()).await?)
    }

    /// Waits for the end and gives back all steps, the earlier ones too.
    ///
    /// # Errors
    ///
    /// If the client fails or takes too long: with what it complained about.
    pub async fn end(mut self) -> Result<Vec<Value>, BoxError> {
        while self.next().await?.is_some() {}
        let status = timeout(PATIENCE, self.process.wait()).await??;
        if !status.success() {
            return Err(self.failure(&format!("it ended with {status}")).await);
        }
        Ok(std::mem::take(&mut self.steps))
    }

    async fn next(&mut self) -> Result<Option<Value>, BoxError> {
        let Ok(line) = timeout(PATIENCE, self.output.next_line()).await else {
            return Err(self.failure("it takes too long").await);
        };
        let Some(line) = line? else { return Ok(None) };
        // Libraries print, too.
        let Ok(step @ Value::Object(_)) = serde_json::from_str(&line) else {
            return Ok(Some(Value::Null));
        };
        self.steps.push(step.clone());
        if step.get("step").and_then(Value::as_str) == Some("failed") {
            return Err(self.failure("it says that it failed").await);
        }
        Ok(Some(step))
    }

    async fn failure(&mut self, why: &str) -> BoxError {
        let complaint = self.told_to_end().await;
        let steps: Vec<String> = self.steps.iter().map(Value::to_string).collect();
        format!("{why}. Its steps:\n{}\n{complaint}", steps.join("\n")).into()
    }

    /// Gives back what it complained about.
    async fn told_to_end(&mut self) -> String {
        if let Some(id) = self.process.id() {
            let _ = Command::new("sh").args(["-c", &format!("kill {id}")]).status().await;
        }
        if let Ok(complaint) = timeout(PATIENCE, &mut self.complaint).await {
            return complaint.unwrap_or_default();
        }
        let _ = self.process.start_kill();
        "It does not end when it is told to.".to_owned()
    }
}

impl Ready {
    /// Adds an argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    /// Adds arguments.
    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.0.args(arguments);
        self
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(mut self) -> Result<Client, BoxError> {
        // Not by its whole path: Chromium makes a socket there, whose name may have 107 bytes.
        self.0.current_dir(places::temporary()?).env("TMPDIR", ".");
        self.0.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = self.0.spawn()?;
        let input = process.stdin.take().ok_or("it has no input")?;
        let output = BufReader::new(process.stdout.take().ok_or("it has no output")?).lines();
        let errors = process.stderr.take().ok_or("it has nowhere to complain")?;
        #[expect(clippy::disallowed_methods, reason = "a full pipe would stop the client")]
        let complaint = tokio::spawn(beginning(errors));
        Ok(Client { steps: Vec::new(), input, output, complaint, process })
    }
}

/// Reads to the end, and keeps the beginning.
async fn beginning(mut stream: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    let mut buffer = vec![0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        let room = MAX_COMPLAINT.saturating_sub(kept.len()).min(read);
        kept.extend_from_slice(buffer.get(..room).unwrap_or_default());
    }
    String::from_utf8_lossy(&kept).into_owned()
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("steps", &self.steps).finish_non_exhaustive()
    }
}
