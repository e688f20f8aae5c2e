//! Promise: the decentralised trainer of the examples ends in the weights of a run without faults.

#[path = "../examples/decentralised.rs"]
mod decentralised;

#[test]
fn it_trains_as_if_nobody_were_wrong() -> Result<(), Box<dyn std::error::Error>> {
    decentralised::main()
}
