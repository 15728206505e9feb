//! A file that grows as it comes, and is there only when it is whole.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{Error, guard};

/// A file that is being written. Until [`Incoming::keep`] it has another name,
/// and it goes away when it is dropped before.
#[derive(Debug)]
pub struct Incoming {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    replace: bool,
}

impl Incoming {
    /// Begins a file that only the user may read; one that is there already is replaced only if that is
    /// wanted.
    ///
    /// # Errors
    /// When there is one, or none can be made there.
    pub fn create(path: &Path, replace: bool) -> Result<Self, Error> {
        let incoming = Self::begin(path, replace, 0o600)?;
        // The umask may have taken bits away.
        let restricted = incoming.file.set_permissions(Permissions::from_mode(0o600));
        restricted.map_err(|source| guard::io("write", path, source))?;
        Ok(incoming)
    }

    /// Begins a file that is no secret: others may read it as far as the
    /// user's umask lets them.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn create_public(path: &Path, replace: bool) -> Result<Self, Error> {
        Self::begin(path, replace, 0o644)
    }

    fn begin(path: &Path, replace: bool, mode: u32) -> Result<Self, Error> {
        let failed = |source| guard::io("write", path, source);
        match fs::symlink_metadata(path) {
            Ok(found) if replace && found.is_dir() => {
                return Err(failed(io::ErrorKind::IsADirectory.into()));
            }
            Ok(_) if !replace => return Err(Error::Exists(path.to_owned())),
            // A new name for the file would put it in place of the device.
            Ok(found) if !found.is_file() && !found.is_symlink() => {
                let why = io::Error::other("it is no plain file");
                return Err(failed(why));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(failed(source)),
        }
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput.into());
        let mut temporary = name.map_err(failed)?.to_owned();
        temporary.push(format!(".{}.partial", std::process::id()));
        let temporary = path.with_file_name(temporary);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&temporary)
            .map_err(failed)?;
        Ok(Self {
            file,
            temporary,
            path: path.to_owned(),
            replace,
        })
    }

    /// Gives the file its name, in one go.
    ///
    /// # Errors
    /// When it cannot be written out, or another has taken its name meanwhile.
    pub fn keep(self) -> Result<(), Error> {
        let failed = |source| guard::io("write", &self.path, source);
        self.file.sync_all().map_err(failed)?;
        if !self.replace {
            let flags = RenameFlags::NOREPLACE;
            match renameat_with(CWD, &self.temporary, CWD, &self.path, flags) {
                Ok(()) => {}
                Err(rustix::io::Errno::EXIST) => return Err(Error::Exists(self.path.clone())),
                // Not every file system can; then what was seen must do.
                Err(rustix::io::Errno::INVAL) if !self.path.exists() => {}
                Err(error) => return Err(failed(error.into())),
            }
        }
        if self.temporary.exists() {
            fs::rename(&self.temporary, &self.path).map_err(failed)?;
        }
        let folder = self
            .path
            .parent()
            .filter(|path| !path.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))
            .and_then(|folder| folder.sync_all())
            .map_err(failed)
    }
}

impl Write for Incoming {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // It is gone already when it was kept.
        let _ = fs::remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_there_when_it_is_whole_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut incoming = Incoming::create(&path, false).unwrap();
        incoming.write_all(b"half").unwrap();
        assert!(!path.exists());
        incoming.write_all(b" and half").unwrap();
        incoming.keep().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"half and half");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[test]
    fn what_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut incoming = Incoming::create(&folder.path().join("file"), false).unwrap();
        incoming.write_all(b"half").unwrap();
        assert_eq!(names(folder.path()).len(), 1);
        drop(incoming);
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[test]
    fn what_is_there_is_replaced_only_if_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let late = Incoming::create(&path, false).unwrap();
        fs::write(&path, "old").unwrap();
        assert!(matches!(late.keep(), Err(Error::Exists(_))));
        assert!(matches!(
            Incoming::create(&path, false),
            Err(Error::Exists(_))
        ));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["file"]);
        let mut incoming = Incoming::create(&path, true).unwrap();
        incoming.write_all(b"new").unwrap();
        incoming.keep().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(Incoming::create(folder.path(), true).is_err());
        assert!(Incoming::create(Path::new("/dev/null"), true).is_err());
        assert!(Incoming::create(&folder.path().join("no/file"), false).is_err());
    }
}
