//! Shows what an issuer that misbehaves, and an attacker who makes use of it, do to clients with good tokens.
#![expect(clippy::print_stdout, reason = "showing numbers is what it is for")]

mod scenario;

use self::scenario::{ATTACK_TOKENS, CLIENTS, Failure, Misbehaviour, run};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    println!("{CLIENTS} clients with good tokens, {ATTACK_TOKENS} tokens with random key names.\n");
    println!(
        "                               good tokens |          bad tokens |         | a verification"
    );
    println!(
        "the issuer             asked  failed  waited |   sent   401    503 | fetches |    alone  median    p99"
    );
    for misbehaviour in Misbehaviour::ALL {
        println!("{}", run(misbehaviour).await?);
    }
    println!(
        "\nfailed: not let through. waited: for the network. fetches: of the key set, by all of them.\n\
         median, p99: of a good token's verification under attack, as a multiple of one that is alone."
    );
    Ok(())
}
