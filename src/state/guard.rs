//! Files and directories that only the user may get at.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::Error;
use crate::transport::local;

const DIRECTORY: u32 = 0o700;
const FILE: u32 = 0o600;
/// Bits that let group and others in.
const OTHERS: u32 = 0o077;

/// Makes a directory where there is none, and checks it where there is.
pub fn directory(path: &Path) -> Result<(), Error> {
    if is_directory(path)? {
        return Ok(());
    }
    match fs::DirBuilder::new().mode(DIRECTORY).create(path) {
        // the umask may have taken bits away
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(DIRECTORY))
            .map_err(|source| io("make directory", path, source)),
        // another kdiy was faster
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => is_directory(path).map(drop),
        Err(source) => Err(io("make directory", path, source)),
    }
}

/// Whether a private directory is there.
pub fn is_directory(path: &Path) -> Result<bool, Error> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(io("look at", path, source)),
    };
    if !found.is_dir() {
        return Err(Error::NotPlain {
            path: path.to_owned(),
            wanted: "directory",
        });
    }
    check(path, &found)?;
    Ok(true)
}

/// Reads a private file, if it is there.
pub fn read(path: &Path) -> Result<Option<SecretString>, Error> {
    let options = OpenOptions::new().read(true).clone();
    let Some(file) = open(path, options)? else {
        return Ok(None);
    };
    let bytes = local::whole(file).map_err(|source| io("read", path, source))?;
    let bytes = Zeroizing::new(bytes);
    let text = std::str::from_utf8(&bytes);
    let text = text.map_err(|_| Error::NotText {
        path: path.to_owned(),
    })?;
    Ok(Some(SecretString::from(text)))
}

/// Writes a private file in one go: a reader, or a run after a power cut,
/// finds the old text or the new one.
pub fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    let temporary = beside(path);
    let failed = |source| io("write", path, source);
    // left over from a run that was killed
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE)
        .open(&temporary)
        .and_then(|mut file| {
            file.set_permissions(Permissions::from_mode(FILE))?;
            file.write_all(content)?;
            file.sync_all()
        });
    let renamed = written
        .map_err(failed)
        .and_then(|()| rename(&temporary, path));
    if renamed.is_err() {
        // half a key is of no use; the first error is the one to report
        let _ = fs::remove_file(&temporary);
    }
    renamed
}

/// Opens a private file to write at its end.
pub fn append(path: &Path) -> Result<File, Error> {
    let created = OpenOptions::new()
        .append(true)
        .create_new(true)
        .mode(FILE)
        .open(path);
    match created {
        Ok(file) => {
            let restricted = file.set_permissions(Permissions::from_mode(FILE));
            restricted.map_err(|source| io("make", path, source))?;
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let options = OpenOptions::new().append(true).clone();
            let gone = || io("open", path, io::ErrorKind::NotFound.into());
            open(path, options)?.ok_or_else(gone)
        }
        Err(source) => Err(io("make", path, source)),
    }
}

/// Renames and makes sure that a power cut does not undo it.
pub fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    let parent = to.parent().unwrap_or(Path::new("."));
    fs::rename(from, to)
        .and_then(|()| File::open(parent)?.sync_all())
        .map_err(|source| io("write", to, source))
}

/// Removes a private directory with everything in it, if it is there.
pub fn remove_directory(path: &Path) -> Result<(), Error> {
    if is_directory(path)? {
        fs::remove_dir_all(path).map_err(|source| io("remove", path, source))?;
    }
    Ok(())
}

pub fn io(verb: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Io {
        verb,
        path: path.to_owned(),
        source,
    }
}

/// Opens without following a link, and checks what was opened, not what the
/// name points at a moment later.
fn open(path: &Path, mut options: OpenOptions) -> Result<Option<File>, Error> {
    let not_plain = || Error::NotPlain {
        path: path.to_owned(),
        wanted: "file",
    };
    // not blocking: a pipe in the file's place must not hang kdiy
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = match options.custom_flags(flags.bits().cast_signed()).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) => {
            return Err(not_plain());
        }
        Err(source) => return Err(io("open", path, source)),
    };
    let found = file
        .metadata()
        .map_err(|source| io("look at", path, source))?;
    if !found.is_file() {
        return Err(not_plain());
    }
    check(path, &found)?;
    Ok(Some(file))
}

fn check(path: &Path, found: &fs::Metadata) -> Result<(), Error> {
    let path = path.to_owned();
    let (owner, user) = (found.uid(), rustix::process::geteuid().as_raw());
    if owner != user {
        return Err(Error::OtherOwner { path, owner, user });
    }
    let mode = found.mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(Error::Exposed {
            path,
            mode,
            directory: found.is_dir(),
        });
    }
    if found.is_file() && found.nlink() > 1 {
        let others = found.nlink() - 1;
        return Err(Error::Linked { path, others });
    }
    Ok(())
}

/// The name of the file while it is being written.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    path.with_file_name(name)
}
