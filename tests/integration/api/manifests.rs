//! Manifests, applied and compared.

use kdiy::api::manifests::{Applied, Conflicts, Difference, Verb, apply, difference, parse};
use serde_json::{Value, json};

use super::double::{After, caused, status};
use super::lists::event;
use super::*;

const CORE: &str = "GET /api/v1";
const MAP: &str = "/api/v1/namespaces/default/configmaps/settings";

/// What the API serves of the core group.
fn core() -> Answer {
    resources(
        "v1",
        &[
            ("configmaps", "ConfigMap", true),
            ("namespaces", "Namespace", false),
            ("secrets", "Secret", true),
        ],
    )
}

fn resources(version: &str, kinds: &[(&str, &str, bool)]) -> Answer {
    let resources = kinds.iter().map(|(name, kind, namespaced)| {
        json!({
            "name": name, "singularName": "", "namespaced": namespaced, "kind": kind,
            "verbs": ["get", "list", "patch", "watch"],
        })
    });
    Answer::json(json!({
        "kind": "APIResourceList", "groupVersion": version, "resources": resources.collect::<Vec<_>>(),
    }))
}

fn map(version: &str, text: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": "settings", "namespace": "default", "resourceVersion": version, "uid": "u",
            "managedFields": [{"manager": "kdiy", "subresource": version}],
        },
        "data": {"text": text},
    })
}

const MANIFEST: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {text: new}\n";

fn verbs(applied: &[Applied]) -> Vec<(String, Verb)> {
    applied
        .iter()
        .map(|one| (one.object.to_string(), one.verb))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn objects_are_applied_by_the_server_under_kdiys_name() {
    let (double, client) = Cluster::single().await;
    let manifests = parse(MANIFEST).unwrap();
    let patch = format!("PATCH {MAP} fieldManager=kdiy fieldValidation=Strict");
    for (before, after, verb) in [
        (Answer::status(404, "NotFound", "no"), "1", Verb::Created),
        (Answer::json(map("1", "old")), "2", Verb::Changed),
        (Answer::json(map("2", "new")), "3", Verb::Unchanged),
    ] {
        double.on(CORE, core()).on(&format!("GET {MAP}"), before);
        double.on(&patch, Answer::json(map(after, "new")));
        let applied = apply(&client, &manifests, Conflicts::Fail).await.unwrap();
        assert_eq!(verbs(&applied), [("ConfigMap settings".to_owned(), verb)]);
        let seen = double.script.seen().pop().unwrap();
        assert_eq!(seen.kind, "application/apply-patch+yaml");
        assert!(!seen.line.contains("force"));
        assert_eq!(seen.body["data"], json!({"text": "new"}));
    }
}

fn conflict() -> Answer {
    let status = status(409, "Conflict", "Apply failed with 2 conflicts");
    let reason = "FieldManagerConflict";
    let status = caused(
        status,
        reason,
        "conflict with \"kubectl-edit\" using v1",
        ".data.text",
    );
    Answer::Json(
        409,
        caused(status, reason, "conflict with \"helm\"", ".data.more"),
    )
}

#[tokio::test(start_paused = true)]
async fn fields_of_others_are_told_with_their_manager() {
    let (double, client) = Cluster::single().await;
    let manifests = parse(MANIFEST).unwrap();
    double
        .on(CORE, core())
        .on(&format!("GET {MAP}"), Answer::json(map("1", "theirs")));
    double.on(&format!("PATCH {MAP}"), conflict());
    let error = apply(&client, &manifests, Conflicts::Fail)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "api-field-conflict");
    insta::assert_snapshot!(error, @"apply ConfigMap settings: .data.text is managed by kubectl-edit, .data.more is managed by helm");

    double
        .on(CORE, core())
        .on(&format!("GET {MAP}"), Answer::json(map("1", "theirs")));
    double.on(
        &format!("PATCH {MAP} force=true"),
        Answer::json(map("2", "new")),
    );
    apply(&client, &manifests, Conflicts::Force).await.unwrap();
}

const CRD: &str = "---\napiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g}\n---\n\
    apiVersion: v1\nkind: Namespace\nmetadata: {name: gadgets}\n---\n\
    apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
    metadata: {name: gadgets.example.com}\nspec: {group: example.com, names: {kind: Gadget}}\n";
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

fn definition(established: &str) -> Value {
    json!({
        "metadata": {"name": "gadgets.example.com", "uid": "c", "resourceVersion": "4"},
        "spec": {"group": "example.com", "names": {"kind": "Gadget", "plural": "gadgets"}, "scope": "Cluster", "versions": []},
        "status": {"conditions": [{"type": "Established", "status": established}], "storedVersions": []},
    })
}

#[tokio::test(start_paused = true)]
async fn a_kind_is_served_before_its_objects_are_applied() {
    let (double, client) = Cluster::single().await;
    let missing = || Answer::status(404, "NotFound", "no");
    let gadget = json!({"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "g", "resourceVersion": "9"}});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gadgets", "resourceVersion": "3"}});
    double
        .on(CORE, core())
        .on("GET /api/v1/namespaces/gadgets", missing())
        .on("PATCH /api/v1/namespaces/gadgets", Answer::json(namespace))
        .on(
            "GET /apis/apiextensions.k8s.io/v1",
            resources(
                "apiextensions.k8s.io/v1",
                &[(
                    "customresourcedefinitions",
                    "CustomResourceDefinition",
                    false,
                )],
            ),
        )
        .on(&format!("GET {DEFINITIONS}/gadgets.example.com"), missing())
        .on(
            &format!("PATCH {DEFINITIONS}/gadgets.example.com"),
            Answer::json(definition("False")),
        )
        .on(
            &format!("GET {DEFINITIONS} limit=500"),
            Answer::list(&[definition("False")], "4", None),
        )
        .on(
            &format!("GET {DEFINITIONS} watch=true"),
            Answer::Events(vec![event("MODIFIED", definition("True"))], After::Silence),
        )
        // Discovery lags behind.
        .on("GET /apis/example.com/v1", missing())
        .on(
            "GET /apis/example.com/v1",
            resources("example.com/v1", &[("gadgets", "Gadget", false)]),
        )
        .on("GET /apis/example.com/v1/gadgets/g", missing())
        .on("PATCH /apis/example.com/v1/gadgets/g", Answer::json(gadget));
    let applied = apply(&client, &parse(CRD).unwrap(), Conflicts::Fail)
        .await
        .unwrap();
    let order: Vec<_> = applied.iter().map(|one| one.object.kind.as_str()).collect();
    assert_eq!(order, ["Namespace", "CustomResourceDefinition", "Gadget"]);
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_not_served_is_told_of() {
    let (double, client) = Cluster::single().await;
    double.on(
        "GET /apis/example.com/v1",
        Answer::status(404, "NotFound", "no"),
    );
    let manifests = parse("apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g}").unwrap();
    let error = apply(&client, &manifests, Conflicts::Fail)
        .await
        .unwrap_err();
    insta::assert_snapshot!(error, @"apply Gadget g: the API does not serve Gadget of example.com/v1");
}

async fn compared(double: &Double, client: &Client, text: &str) -> Difference {
    double.on(CORE, core());
    let mut all = difference(client, &parse(text).unwrap()).await.unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

#[tokio::test(start_paused = true)]
async fn a_difference_is_what_the_server_would_make_of_it() {
    let (double, client) = Cluster::single().await;
    let dry = format!("PATCH {MAP} dryRun=All fieldManager=kdiy");
    double.on(&format!("GET {MAP}"), Answer::status(404, "NotFound", "no"));
    assert!(matches!(
        compared(&double, &client, MANIFEST).await,
        Difference::Create(_)
    ));

    double.on(&format!("GET {MAP}"), Answer::json(map("1", "old")));
    double.on(&dry, Answer::json(map("2", "new")));
    let Difference::Change(_, changes) = compared(&double, &client, MANIFEST).await else {
        panic!("no change")
    };
    let [change] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!(
        (change.path.as_str(), &change.before, &change.after),
        ("/data/text", &Some(json!("old")), &Some(json!("new")))
    );

    double.on(&format!("GET {MAP}"), Answer::json(map("1", "new")));
    double.on(&dry, Answer::json(map("1", "new")));
    assert!(
        matches!(compared(&double, &client, MANIFEST).await, Difference::Change(_, changes) if changes.is_empty())
    );

    double.on(&format!("GET {MAP}"), Answer::json(map("1", "theirs")));
    double.on(&dry, conflict());
    assert!(
        matches!(compared(&double, &client, MANIFEST).await, Difference::Conflict(_, conflicts) if conflicts.len() == 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_comes_with_its_definition_is_new() {
    let (double, client) = Cluster::single().await;
    let missing = || Answer::status(404, "NotFound", "no");
    double
        .on("GET /apis/example.com/v1", missing())
        .on(CORE, core())
        .on("GET /api/v1/namespaces/gadgets", missing())
        .on(
            "GET /apis/apiextensions.k8s.io/v1",
            resources(
                "apiextensions.k8s.io/v1",
                &[(
                    "customresourcedefinitions",
                    "CustomResourceDefinition",
                    false,
                )],
            ),
        )
        .on(&format!("GET {DEFINITIONS}/gadgets.example.com"), missing());
    let all = difference(&client, &parse(CRD).unwrap()).await.unwrap();
    assert!(
        all.iter().all(|one| matches!(one, Difference::Create(_))),
        "{all:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn values_of_secrets_are_not_told() {
    let (double, client) = Cluster::single().await;
    let secret = |value: &str| {
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "s", "namespace": "default"}, "data": {"key": value},
        })
    };
    let path = "/api/v1/namespaces/default/secrets/s";
    double.on(&format!("GET {path}"), Answer::json(secret("b2xk")));
    double.on(
        &format!("PATCH {path} dryRun=All"),
        Answer::json(secret("bmV3")),
    );
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {key: new}\n";
    assert!(!format!("{:?}", parse(text).unwrap()).contains("new"));
    let difference = format!("{:?}", compared(&double, &client, text).await);
    assert!(
        difference.contains("/data/key") && !difference.contains("bmV3"),
        "{difference}"
    );
}
