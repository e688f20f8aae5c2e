//! The revision of the source for release builds, which run folders name; with the feature `tch` the path by which the
//! program finds libtorch when it runs.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    println!("cargo:rerun-if-env-changed=ECODE_REVISION");
    if std::env::var_os("CARGO_FEATURE_TCH").is_some()
        && let Ok(libtorch) = std::env::var("LIBTORCH")
    {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{libtorch}/lib");
    }
    if std::env::var("PROFILE").as_deref() == Ok("release")
        && let Some(revision) = revision()
    {
        println!("cargo:rustc-env=ECODE_REVISION={revision}");
    }
}

/// The revision as `ECODE_REVISION` says it, or git; none where neither does.
fn revision() -> Option<String> {
    if let Ok(said) = std::env::var("ECODE_REVISION") {
        return Some(said);
    }
    // A packaged crate may lie inside somebody else's repository.
    if !std::path::Path::new(".git").exists() {
        return None;
    }
    println!("cargo:rerun-if-changed=.git/HEAD");
    println!("cargo:rerun-if-changed=.git/logs/HEAD");
    let output =
        Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=12"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| output.status.success() && !text.is_empty())
}
