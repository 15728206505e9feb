use super::*;

/// What tools really say. `+` passes, `-` lasts; the kind of the resource
/// follows, then the lines.
const SAID: &str = r#"
+ packages
E: Could not get lock /var/lib/apt/lists/lock. It is held by process 86 (perl)
E: Unable to lock directory /var/lib/apt/lists/
+ packages
E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?
+ packages
E: Could not get lock /var/cache/apt/archives/lock. It is held by process 99 (perl)
E: Unable to lock directory /var/cache/apt/archives/
+ command
dpkg: error: dpkg database lock was locked by another process with pid 96
Note: removing the lock file is always wrong, can damage the locked area
- packages
Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 92 (perl)...
E: Unable to locate package kubelte
+ repository
E: Failed to fetch http://172.29.0.1:8791/503/./InRelease  Could not connect to 172.29.0.1:8791 (172.29.0.1). - connect (111: Connection refused)
E: Some index files failed to download. They have been ignored, or old ones used instead.
+ packages
E: Failed to fetch http://172.29.0.1:8791/429/./Packages  429  Too Many Requests [IP: 172.29.0.1 8791]
+ packages
E: Failed to fetch http://mirror/x.deb  503  Service Unavailable [IP: 192.0.2.1 80]
+ packages
E: Failed to fetch http://mirror/x.deb  500  Internal Server Error [IP: 192.0.2.1 80]
+ packages
E: Failed to fetch http://172.29.0.1:8791/1/./InRelease  Connection failed [IP: 172.29.0.1 8791]
+ packages
E: Failed to fetch http://172.29.0.1:8791/3/./InRelease  Undetermined Error [IP: 172.29.0.1 8791]
+ packages
E: Failed to fetch http://deb.debian.org/debian/x.deb  Temporary failure resolving 'deb.debian.org'
E: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?
+ packages
W: Failed to fetch http://mirror/InRelease  Could not connect to mirror:80 (192.0.2.1), connection timed out
E: Unable to locate package kubelet
+ packages
E: Failed to fetch http://mirror/x.deb  Hash Sum mismatch
+ packages
E: Failed to fetch http://mirror/Packages.xz  File has unexpected size (1 != 2). Mirror sync in progress? [IP: 192.0.2.1 80]
- packages
E: Failed to fetch http://172.29.0.1:8791/404/./Packages  404  Not Found [IP: 172.29.0.1 8791]
- packages
E: Failed to fetch http://172.29.0.1:8791/403/./Packages  403  Forbidden [IP: 172.29.0.1 8791]
- repository
E: Failed to fetch http://no-such-host.invalid/x/./InRelease  Could not resolve 'no-such-host.invalid'
- repository
W: GPG error: http://172.29.0.1:8700/apt  InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 66A78D03
E: The repository 'http://172.29.0.1:8700/apt  InRelease' is not signed.
- packages
E: You don't have enough free space in /var/cache/apt/archives/.
- packages
Err:1 http://172.29.0.1:8791/1/f
  Connection failed [IP: 172.29.0.1 8791]
E: Version '1.34.99*' for 'kubeadm' was not found
+ command
ctr: failed to resolve reference "172.29.0.1:8791/503/x:1": pulling from host 172.29.0.1:8791 failed with status code [manifests 1]: 503 Service Unavailable
+ command
ctr: failed to resolve reference "172.29.0.1:8791/429/x:1": pulling from host 172.29.0.1:8791 failed with status code [manifests 1]: 429 Too Many Requests
+ command
ctr: failed to resolve reference "172.29.0.1:8791/500/x:1": pulling from host 172.29.0.1:8791 failed with status code [manifests 1]: 500 Internal Server Error
+ command
ctr: failed to resolve reference "172.29.0.1:8791/1/x:1": failed to do request: Head "http://172.29.0.1:8791/v2/1/x/manifests/1": EOF
+ command
ctr: failed to resolve reference "172.29.0.1:8791/3/x:1": unexpected EOF
+ command
level=fatal msg="pulling image: rpc error: code = Unknown desc = failed to do request: Head \"https://registry.k8s.io/v2/pause/manifests/3.9\": dial tcp 192.0.2.1:443: i/o timeout"
+ command
Error response from daemon: toomanyrequests: You have reached your pull rate limit.
- command
ctr: failed to resolve reference "172.29.0.1:8791/404/x:1": 172.29.0.1:8791/404/x:1: not found
- command
ctr: failed to resolve reference "172.29.0.1:8791/401/x:1": pulling from host 172.29.0.1:8791 failed with status code [manifests 1]: 401 Unauthorized
- command
failed to do request: Head "https://nowhere.invalid/v2/": dial tcp: lookup nowhere.invalid on 192.0.2.53:53: no such host
- command
tls: failed to verify certificate: x509: certificate signed by unknown authority
- command
write /var/lib/containerd/ingest/data: no space left on device
+ command
The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?
+ command
Error from server (ServiceUnavailable): the server is currently unable to handle the request
+ command
Error from server (TooManyRequests): the server has received too many requests and has asked us to try again later
+ command
Error from server: etcdserver: leader changed
+ command
Unable to connect to the server: net/http: TLS handshake timeout
- command
Unable to connect to the server: dial tcp: lookup no-such.invalid on 10.255.255.53:53: no such host
- command
[kubelet-check] The HTTP call equal to 'curl -sSL http://localhost:10248/healthz' failed with error: Get "http://localhost:10248/healthz": dial tcp 127.0.0.1:10248: connect: connection refused.
"#;

#[test]
fn what_tools_say_is_distinguished() {
    let mut cases: Vec<(bool, &str, Vec<&str>)> = Vec::new();
    for line in SAID.trim().lines() {
        match line.split_once(' ') {
            Some((sign @ ("+" | "-"), kind)) => cases.push((sign == "+", kind, Vec::new())),
            _ => cases.last_mut().expect("a case comes first").2.push(line),
        }
    }
    assert_eq!(cases.len(), 40);
    for (passes, kind, said) in cases {
        let resource = format!("{kind} of a test");
        let found = transient_cause(&Exit::Code(1), Some(&resource), said.iter().copied());
        assert_eq!(found.is_some(), passes, "{kind}: {said:?}\n{found:?}");
    }
}

#[test]
fn the_cause_comes_with_the_hosts_words() {
    let said = ["E: Could not get lock /l. It is held by process 8 (apt)"];
    let found = transient_cause(&Exit::Code(100), Some("packages of x"), said.into_iter());
    let wanted = "another program holds the lock of apt or dpkg: E: Could not get lock /l. It is \
                  held by process 8 (apt)";
    assert_eq!(found.as_deref(), Some(wanted));
}

#[test]
fn only_what_asks_others_is_transient_and_no_verdict_of_kdiys_own() {
    let of = |exit: &Exit, resource| {
        let said = ["E: connection refused"];
        transient_cause(exit, resource, said.into_iter())
    };
    let one = Exit::Code(1);
    assert!(of(&one, Some("packages of x")).is_some());
    for resource in [None, Some("file /etc/x"), Some("service kubelet")] {
        assert_eq!(of(&one, resource), None);
    }
    let killed = Exit::Signal("KILL".to_owned());
    assert_eq!(of(&killed, Some("packages of x")), None);
    for own in OwnExit::ALL {
        let exit = Exit::Code(own.code());
        assert_eq!(of(&exit, Some("packages of x")), None, "{own:?}");
    }
}

#[test]
fn a_host_that_was_entered_may_refuse_while_it_boots() {
    let refused = Error::Authentication {
        address: "h:22".to_owned(),
        user: "ops".to_owned(),
        attempts: Vec::new(),
    };
    assert!(is_transient(&refused));
    let late = Error::TimeLimit {
        address: "h:22".to_owned(),
        limit: Duration::from_secs(1),
    };
    assert!(!is_transient(&late));
}

#[tokio::test(start_paused = true)]
async fn patience_ends_after_two_minutes() {
    let mut policy = RetryPolicy::default();
    let began = Instant::now();
    while let Some(wait) = policy.next() {
        tokio::time::sleep(wait).await;
    }
    assert_eq!(began.elapsed().as_secs(), 120);
    // Tries that take long use it up as well.
    let mut policy = RetryPolicy::default();
    assert!(policy.next().is_some());
    tokio::time::sleep(Duration::from_secs(122)).await;
    assert_eq!(policy.next(), None);
}
