//! Conversations that are more than one request and its whole answer.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{PATIENCE, Target, raw::Answer};

impl Target {
    /// Writes all of it on one connection and reads until the server closes. One answer for each request that
    /// the server saw in the bytes.
    pub(super) async fn converse(&self, bytes: &[u8]) -> Vec<Answer> {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
        let text = String::from_utf8_lossy(&answer).into_owned();
        let starts: Vec<_> = text.match_indices("HTTP/1.1 ").map(|(start, _)| start).collect();
        let ends = starts.iter().skip(1).copied().chain([text.len()]);
        starts.iter().zip(ends).map(|(start, end)| Answer::parse(&answer[*start..end])).collect()
    }

    /// Writes `start`, then `more` four times a second. Gives the answer, and whether the connection is still open
    /// after so long.
    pub(super) async fn drip(&self, start: &[u8], more: &[u8], long: Duration) -> (Answer, bool) {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(start).await.unwrap();
        let (mut reads, mut writes) = stream.into_split();
        let mut answer = Vec::new();
        let drip = async {
            loop {
                sleep(Duration::from_millis(250)).await;
                let _ = writes.write_all(more).await;
            }
        };
        let closed = tokio::select! {
            closed = timeout(long, reads.read_to_end(&mut answer)) => closed.is_ok(),
            () = drip => false,
        };
        (Answer::parse(&answer), !closed)
    }
}
