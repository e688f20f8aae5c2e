use super::{DataError, read_up_to};

/// A file that is too large is an error, and is not read as far as the bound goes.
#[test]
fn nothing_is_cut_at_the_bound() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::temp_dir().join(format!("ecode-bound-{}", std::process::id()));
    for (bytes, long) in [(vec![7; 10], false), (vec![7; 11], true)] {
        std::fs::write(&file, &bytes)?;
        match read_up_to(&file, 10) {
            Ok(read) => assert!(!long && read == bytes),
            Err(error @ DataError::Content { .. }) => {
                assert!(long && error.to_string().contains("more than 10 bytes"), "{error}");
            }
            Err(error) => return Err(error.into()),
        }
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        std::io::Write::write_all(&mut packed, &[0; 4000])?;
        std::fs::write(&file, packed.finish()?)?;
        assert!(read_up_to(&file, 4050).is_ok());
        assert!(read_up_to(&file, 3999).is_err());
    }
    std::fs::remove_file(&file)?;
    Ok(())
}
