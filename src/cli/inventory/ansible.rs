//! `kdiy inventory import ansible`.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::init::About;
use crate::cli::write_inventory::{self, Destination};
use crate::cli::{CliError, Exit, Global, source};
use crate::draft::ansible::{self, File, GroupRole, Kind};
use crate::ui::Ui;

/// Import an Ansible inventory, also one of kubespray's
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "INI and YAML are read, with group_vars and host_vars beside them. Groups are
kubespray's: kube_control_plane, etcd and kube_node, or their older names. etcd
on the control planes, or no such group, makes `topology: stacked`. Taken over
are addresses (ip, access_ip), logins, jump hosts and, of kubespray's
variables, version, networks, runtime and load-balancer. What is not taken
over is told. Passwords are never copied; Jinja is not evaluated.

An inventory that is a program, or needs Jinja, Ansible itself writes out:
  ansible-inventory -i INVENTORY --list --yaml --output hosts.yaml

Examples:
  kdiy inventory import ansible inventory/mycluster/hosts.yaml
  kdiy inventory import ansible inventory/mycluster --out mycluster.yaml
  kdiy inventory import ansible hosts.ini --group control-plane=managers"
)]
pub struct Ansible {
    /// The inventory, or the folder that it lies in
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// Hosts of this group have this role
    #[arg(long, value_name = "ROLE=GROUP")]
    pub group: Vec<GroupRole>,
    /// What is said beside the hosts.
    #[command(flatten)]
    pub about: About,
    /// Where it goes.
    #[command(flatten)]
    pub destination: Destination,
}

impl Ansible {
    /// Writes an inventory of another.
    ///
    /// # Errors
    /// When that cannot be read or makes no valid inventory.
    pub fn run(&self, global: &Global, ui: &Ui) -> Result<Exit, CliError> {
        self.destination.check(global)?;
        let files = files(&self.path)?;
        let imported = ansible::import(&files, &self.group);
        write_inventory::import(imported, &self.about, &self.destination, global, ui)
    }
}

/// The files of an inventory, those with hosts first.
fn files(path: &Path) -> Result<Vec<File>, CliError> {
    let is_folder = path.is_dir();
    let mut files = Vec::new();
    if is_folder {
        for file in entries(path)? {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            // As Ansible passes them over.
            let other = name.starts_with('.')
                || name.ends_with('~')
                || [
                    ".cfg", ".retry", ".md", ".orig", ".bak", ".pyc", ".py", ".sh",
                ]
                .iter()
                .any(|end| name.ends_with(end));
            if file.is_file() && !other {
                files.push(hosts(&file)?);
            }
        }
        if files.is_empty() {
            let message = format!("no file in {} has hosts", path.display());
            return Err(CliError::message(Exit::Inventory, message)
                .hint("name the inventory itself, such as inventory/mycluster/hosts.yaml"));
        }
    } else {
        files.push(hosts(path)?);
    }
    let folder = if is_folder {
        path
    } else {
        source::folder(path)
    };
    let of_groups = variables(&folder.join("group_vars"), Kind::GroupVars)?;
    let of_hosts = variables(&folder.join("host_vars"), Kind::HostVars)?;
    files.extend(of_groups.into_iter().chain(of_hosts));
    Ok(files)
}

/// A file with hosts: YAML by its name or its looks, or else INI.
fn hosts(path: &Path) -> Result<File, CliError> {
    let text = write_inventory::read(path)?;
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    let first = first.unwrap_or_default();
    if text.starts_with("#!") {
        let message = format!("{} is a program, which is not run", path.display());
        let hint = format!(
            "let Ansible write it out: ansible-inventory -i {} --list --yaml --output hosts.yaml",
            path.display()
        );
        return Err(CliError::message(Exit::Inventory, message).hint(hint));
    }
    let extension = path.extension().and_then(|end| end.to_str());
    let kind = match extension {
        Some("yaml" | "yml" | "json") => Kind::Yaml,
        Some("ini") => Kind::Ini,
        _ if first == "---" || first.starts_with('{') || first == "all:" => Kind::Yaml,
        _ => Kind::Ini,
    };
    let name = path.display().to_string();
    Ok(File { name, text, kind })
}

/// Files of variables: `NAME`, `NAME.yaml`, or all in a folder `NAME`.
fn variables(folder: &Path, kind: impl Fn(String) -> Kind) -> Result<Vec<File>, CliError> {
    let mut files = Vec::new();
    if !folder.is_dir() {
        return Ok(files);
    }
    for path in entries(folder)? {
        let of = |path: &Path| {
            let stem = match path.extension().and_then(|end| end.to_str()) {
                Some("yaml" | "yml" | "json") => path.file_stem(),
                _ => path.file_name(),
            };
            stem.unwrap_or_default().to_string_lossy().into_owned()
        };
        let name = of(&path);
        let inner = if path.is_dir() {
            entries(&path)?
        } else {
            vec![path]
        };
        for path in inner.into_iter().filter(|path| path.is_file()) {
            let known = path.extension().and_then(|end| end.to_str());
            if matches!(known, None | Some("yaml" | "yml" | "json")) {
                files.push(File {
                    name: path.display().to_string(),
                    text: write_inventory::read(&path)?,
                    kind: kind(name.clone()),
                });
            }
        }
    }
    Ok(files)
}

/// What is in a folder, sorted.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let failed = |error| {
        let context = format!("cannot read {}", folder.display());
        CliError::new(Exit::Inventory, anyhow::Error::new(error).context(context))
    };
    let read = std::fs::read_dir(folder).map_err(failed)?;
    let paths: std::io::Result<Vec<_>> =
        read.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(failed)?;
    paths.sort();
    Ok(paths)
}
