//! Arguments of etcd that the version which is going to run does not have.

use super::super::document::{Inventory, Shape};
use super::super::finding::{Finding, quoted};
use super::super::interpret;
use super::super::reader::Reader;
use super::super::release::etcd_flag;
use crate::cluster::{EtcdSource, stacked_etcd_version};

pub fn check(reader: &Reader<'_>, inventory: &Inventory) {
    let etcd = &inventory.settings.etcd;
    let Some(kubernetes) = &inventory.version else {
        return;
    };
    let (version, says, does) = match (interpret::shape(inventory), &etcd.source) {
        (Shape::Stacked, _) => {
            let tag = etcd.component.extra_config.get("imageTag");
            let tagged = tag.and_then(|tag| tag.as_str()?.parse().ok());
            let usual = stacked_etcd_version(kubernetes.value.minor().1);
            let does = "does not start with it";
            (tagged.unwrap_or(usual), kubernetes.span, does)
        }
        (Shape::External, EtcdSource::Archive(archive)) => {
            let says = etcd.source_key.unwrap_or(kubernetes.span);
            let does = "takes no notice of it in its configuration file";
            (archive.version, says, does)
        }
        // Which version that is only its hosts know.
        (Shape::External, EtcdSource::Distribution) => return,
    };
    for name in &etcd.arguments {
        let Some(flag) = etcd_flag(version, &name.value) else {
            continue;
        };
        let message = format!(
            "etcd has no flag {} from 3.{} on, and {does}: {version} is going to run",
            quoted(&name.value),
            flag.gone
        );
        reader.report(
            Finding::error("removed-flag", name.span, message)
                .related(says, "the version")
                .help(flag.instead),
        );
    }
}
