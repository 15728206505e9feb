use super::*;

fn parts(method: Method, uri: &str, kind: &str) -> Parts {
    let request = Request::builder().method(method).uri(uri);
    let request = request.header(CONTENT_TYPE, kind).body(()).unwrap();
    request.into_parts().0
}

#[test]
fn what_may_have_been_done_is_repeated_only_where_that_does_no_harm() {
    for (method, kind, expected) in [
        (Method::GET, "", true),
        (Method::PUT, "application/json", true),
        (Method::DELETE, "application/json", true),
        (Method::PATCH, "application/apply-patch+yaml", true),
        (Method::PATCH, "application/merge-patch+json", true),
        (
            Method::PATCH,
            "application/strategic-merge-patch+json",
            false,
        ),
        (Method::PATCH, "application/json-patch+json", false),
        (Method::POST, "application/json", false),
    ] {
        let parts = parts(method.clone(), "/x", kind);
        assert_eq!(
            is_repeatable(&parts.method, &parts.headers),
            expected,
            "{method} {kind}"
        );
    }
}

#[test]
fn watches_are_told_by_their_query() {
    let watch = |uri| is_watch(&parts(Method::GET, uri, ""));
    assert!(watch("/api/v1/pods?&watch=true&timeoutSeconds=290"));
    assert!(!watch("/api/v1/pods?&limit=500"));
    assert!(!watch("/api/v1/watch=true"));
}
