//! What it costs to search the head of an outgoing request that may go out.
//!
//! ```text
//! cargo run --release -p palisade-passthrough-guard --example search_cost
//! ```

#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::{convert::Infallible, hint::black_box, time::Duration};

use allocation_counter::measure;
use http::{Request, Response, request::Parts};
use palisade_core::{Clock, Principal, SystemClock, Trail};
use palisade_passthrough_guard::{OutboundLayer, PassthroughGuard};
use tower::{BoxError, Layer, ServiceExt, service_fn};

/// Long enough that the scheduler evens out.
const TIME: Duration = Duration::from_millis(500);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    println!("remembered    own token    a request    allocations");
    for remembered in [0, 1, 1_000] {
        let guard = PassthroughGuard::new()?;
        let mut trails = Vec::new();
        for number in 0..remembered {
            trails.push(
                arrive(&guard, &format!("{}{number:020}", "an-inbound-token".repeat(40))).await?,
            );
        }
        let layer = guard.outbound_layer();
        for length in [40, 900, 60_000] {
            row(remembered, &layer, length)?;
        }
    }
    Ok(())
}

/// A verified request that is not over as long as its trail is kept.
async fn arrive(guard: &PassthroughGuard, token: &str) -> Result<Trail, BoxError> {
    let trail = Trail::new();
    let request = Request::get("/").header("authorization", format!("Bearer {token}"));
    let inner = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(())));
    let request = request.extension(trail.clone()).body(())?;
    guard.inbound_layer().layer(inner).oneshot(request).await?;
    trail.identify(&Principal::assert_verified("https://as.example", "alice").build());
    Ok(trail)
}

fn row(remembered: usize, layer: &OutboundLayer, length: usize) -> Result<(), BoxError> {
    let own: String = ('A'..='Z').cycle().step_by(7).take(length).collect();
    let request = Request::get("https://up.example/v1/forecast?city=Berlin&days=3")
        .header("authorization", format!("Bearer {own}"))
        .header("content-type", "application/json")
        .header("user-agent", "weather/1.0")
        .header("accept", "*/*");
    let (head, ()) = request.body(())?.into_parts();
    let clock = SystemClock::new();
    let (start, mut times) = (clock.monotonic(), 0_u32);
    while clock.monotonic().saturating_sub(start) < TIME {
        check(layer, &head)?;
        times = times.saturating_add(1);
    }
    let micros = clock.monotonic().saturating_sub(start).as_secs_f64() / f64::from(times) * 1e6;
    let allocations = measure(|| drop(black_box(check(layer, &head)))).count_total;
    println!("{remembered:>10}{length:>7} bytes{micros:>10.1} us{allocations:>15}");
    Ok(())
}

fn check(layer: &OutboundLayer, head: &Parts) -> Result<(), BoxError> {
    Ok(layer.check(&head.method, &head.uri, &head.headers)?)
}
