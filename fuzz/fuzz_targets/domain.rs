//! Whatever bytes arrive: an error of one line, or a certificate about failure domains that writes and reads back, and a check
//! that ends.
#![no_main]

use std::cell::Cell;

use ecode::certificate::{DomainCertificate, Options, check_domains, is_domains};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let claimed = is_domains(bytes);
    let certificate = match DomainCertificate::parse(bytes) {
        Ok(certificate) => certificate,
        Err(error) => return assert!(!error.to_string().contains('\n'), "more than one line: {error:?}"),
    };
    assert!(claimed, "a certificate that does not look like one");
    let again = DomainCertificate::parse(certificate.to_json().as_bytes());
    assert_eq!(again.as_ref(), Ok(&certificate));
    // The first look at the clock comes after a million units of work.
    let looks = Cell::new(0);
    let stopped = || {
        looks.set(looks.get() + 1);
        looks.get() > 20
    };
    let outcome = check_domains(&certificate, Options { stopped: &stopped, recount: false });
    assert!(outcome.as_ref().err().is_none_or(|refused| !refused.to_string().contains('\n')));
    let _ = (outcome.as_ref().map(|accepted| certificate.report(accepted)), certificate.document(&outcome));
});
