//! Files of this machine: read up to a limit, so that one that was named by
//! mistake, a device or somebody's trap does not fill the memory.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// The most bytes that are read of a file: far more than any real one has.
pub const MOST: u64 = 64 << 20;

/// Room beyond the end, with which reading finds the end without growing.
const SPARE: usize = 64;

/// What is in a file.
///
/// # Errors
/// When it cannot be read, or has more than [`MOST`] bytes.
pub fn bytes(path: &Path) -> Result<Vec<u8>> {
    whole(File::open(path)?)
}

/// What is in an open file. The buffer does not grow while it is read, so
/// that no piece of a secret stays behind where it was before.
///
/// # Errors
/// As [`bytes()`].
pub fn whole(file: File) -> Result<Vec<u8>> {
    let length = file.metadata()?.len();
    if length > MOST {
        return Err(too_large());
    }
    let room = usize::try_from(length).unwrap_or_default() + SPARE;
    fill(file, Vec::with_capacity(room))
}

/// The text in a file.
///
/// # Errors
/// As [`bytes()`], and when it is not UTF-8.
pub fn text(path: &Path) -> Result<String> {
    utf8(bytes(path)?)
}

/// All that comes from a stream, such as standard input.
///
/// # Errors
/// As [`text`].
pub fn text_of(stream: impl Read) -> Result<String> {
    utf8(drain(stream)?)
}

/// All bytes of a stream.
///
/// # Errors
/// When there are more than [`MOST`], or they cannot be read.
pub fn drain(stream: impl Read) -> Result<Vec<u8>> {
    fill(stream, Vec::new())
}

fn fill(stream: impl Read, mut bytes: Vec<u8>) -> Result<Vec<u8>> {
    stream.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(too_large());
    }
    Ok(bytes)
}

fn too_large() -> Error {
    let why = format!(
        "it holds more than {} MiB, the most that kdiy reads",
        MOST >> 20
    );
    Error::new(ErrorKind::FileTooLarge, why)
}

fn utf8(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::InvalidData, "it is not UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_refused() {
        let error = text(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        let sparse = tempfile::NamedTempFile::new().unwrap();
        sparse.as_file().set_len(1 << 40).unwrap();
        assert!(
            bytes(sparse.path())
                .unwrap_err()
                .to_string()
                .contains("64 MiB")
        );
        sparse.as_file().set_len(3).unwrap();
        assert_eq!(bytes(sparse.path()).unwrap(), [0; 3]);
    }
}
