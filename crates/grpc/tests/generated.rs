//! Promise: the generated code is that of proto/election.proto, so that nobody needs a compiler of protocols to build.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

#[test]
fn the_generated_code_is_that_of_the_protocol() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = protox::compile([root.join("proto/election.proto")], [root.join("proto")]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    tonic_prost_build::configure().bytes(".").out_dir(folder.path()).compile_fds(files).unwrap();
    let fresh = std::fs::read_to_string(folder.path().join("ecode.v1.rs")).unwrap();
    let kept = root.join("src/generated.rs");
    if std::env::var_os("ECODE_GENERATE").is_some() {
        std::fs::write(&kept, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(&kept).unwrap_or_default();
    // Not both texts in full: a line of advice.
    assert!(
        kept == fresh,
        "the protocol has changed: ECODE_GENERATE=1 cargo test -p election-coding-grpc --test generated"
    );
}
