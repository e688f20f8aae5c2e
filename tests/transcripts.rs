//! Promise: what the program prints is what these transcripts show.

#[test]
fn transcripts() {
    trycmd::TestCases::new().case("tests/transcripts/*.md");
}
