//! Random clusters: no box lies on another, each text is in its box, each line
//! goes from box to box and over nothing else.

use proptest::prelude::*;

use super::super::drawing::{Drawing, Kind, Line, Rect};
use super::super::layout::lay_out;
use super::super::metrics::{Metrics, SVG, TERMINAL};
use super::map;
use crate::topology::Diagram;

fn overlap(a: &Rect, b: &Rect) -> bool {
    a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom()
}

fn contains(outer: &Rect, inner: &Rect) -> bool {
    outer.x <= inner.x
        && outer.y <= inner.y
        && inner.right() <= outer.right()
        && inner.bottom() <= outer.bottom()
}

fn shrunk(rect: &Rect, by: i32) -> Rect {
    Rect {
        x: rect.x + by,
        y: rect.y + by,
        w: rect.w - 2 * by,
        h: rect.h - 2 * by,
    }
}

/// The parts of a line, without the tip of its arrow on the box's edge.
fn parts(line: &Line, metrics: &Metrics) -> Vec<Rect> {
    let mut points = line.points.clone();
    if let (true, [.., from, to]) = (line.arrow, points.as_mut_slice()) {
        to.0 -= (to.0 - from.0).signum() * metrics.edge;
        to.1 -= (to.1 - from.1).signum() * metrics.edge;
    }
    let part = |pair: &[(i32, i32)]| {
        let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
        assert!(ax == bx || ay == by, "slanted: {line:?}");
        Rect {
            x: ax.min(bx),
            y: ay.min(by),
            w: (ax - bx).abs() + 1,
            h: (ay - by).abs() + 1,
        }
    };
    points.windows(2).map(part).collect()
}

/// Whether a point is on the edge of a box.
fn on_edge(rect: &Rect, (x, y): (i32, i32), edge: i32) -> bool {
    let (right, bottom) = (rect.right() - edge, rect.bottom() - edge);
    let across = (rect.x..=right).contains(&x);
    let down = (rect.y..=bottom).contains(&y);
    ((x == rect.x || x == right) && down) || ((y == rect.y || y == bottom) && across)
}

/// What is wrong with a drawing.
fn faults(drawing: &Drawing, metrics: &Metrics) -> Vec<String> {
    let mut faults = Vec::new();
    let sheet = Rect {
        x: 0,
        y: 0,
        w: drawing.width,
        h: drawing.height,
    };
    let boxes = &drawing.boxes;
    for (place, shape) in boxes.iter().enumerate() {
        if !contains(&sheet, &shape.rect) || shape.rect.w < 1 || shape.rect.h < 1 {
            faults.push(format!("outside of the sheet: {shape:?}"));
        }
        for other in &boxes[place + 1..] {
            let within = contains(&shrunk(&shape.rect, 1), &other.rect)
                && matches!(
                    (shape.kind, other.kind),
                    (Kind::Frame, _) | (Kind::Host, Kind::Member)
                );
            if overlap(&shape.rect, &other.rect) && !within {
                faults.push(format!("on each other: {shape:?} {other:?}"));
            }
        }
    }
    for (place, text) in drawing.texts.iter().enumerate() {
        // 13 pixels high, of which the widest monospaced fonts take 0.61.
        let least = match metrics.column {
            1 => text.text.chars().count() * 100,
            _ => text.text.chars().count() * 13 * 61,
        };
        if usize::try_from(text.rect.w * 100).unwrap() < least {
            faults.push(format!("too narrow: {text:?}"));
        }
        match text.inside {
            Some(inside) => {
                let within = Rect {
                    x: boxes[inside].rect.x + 1,
                    w: boxes[inside].rect.w - 2,
                    ..boxes[inside].rect
                };
                if !contains(&within, &text.rect) {
                    faults.push(format!("out of its box: {text:?} {within:?}"));
                }
            }
            None if !contains(&sheet, &text.rect) => faults.push(format!("outside: {text:?}")),
            None => {}
        }
        // Boxes that it is not in, and those within its own.
        for (at, shape) in boxes.iter().enumerate() {
            let around = text
                .inside
                .is_some_and(|inside| at == inside || contains(&shape.rect, &boxes[inside].rect));
            if !around && overlap(&shape.rect, &text.rect) {
                faults.push(format!("text on a box: {text:?} {shape:?}"));
            }
        }
        for other in &drawing.texts[place + 1..] {
            if overlap(&text.rect, &other.rect) {
                faults.push(format!("text on text: {text:?} {other:?}"));
            }
        }
    }
    for line in &drawing.lines {
        let (from, to) = (&boxes[line.ends.0].rect, &boxes[line.ends.1].rect);
        let (first, last) = (line.points[0], line.points[line.points.len() - 1]);
        if !on_edge(from, first, metrics.edge) || !on_edge(to, last, metrics.edge) {
            faults.push(format!("from or to nowhere: {line:?} {from:?} {to:?}"));
        }
        for part in parts(line, metrics) {
            if !contains(
                &Rect {
                    w: sheet.w + 1,
                    h: sheet.h + 1,
                    ..sheet
                },
                &part,
            ) {
                faults.push(format!("line outside: {line:?}"));
            }
            for shape in boxes {
                let around = contains(&shape.rect, from)
                    && contains(&shape.rect, to)
                    && from != to
                    && shape.kind == Kind::Frame;
                if !around && overlap(&shrunk(&shape.rect, 1), &part) {
                    faults.push(format!("through a box: {line:?} {shape:?}"));
                }
            }
            for text in &drawing.texts {
                if overlap(&text.rect, &part) {
                    faults.push(format!("through a text: {line:?} {text:?}"));
                }
            }
        }
    }
    let arrows: Vec<_> = drawing.lines.iter().filter(|line| line.arrow).collect();
    for (place, line) in arrows.iter().enumerate() {
        for other in &arrows[place + 1..] {
            let mine = parts(line, metrics);
            let its = parts(other, metrics);
            if mine.iter().any(|a| its.iter().any(|b| overlap(a, b))) {
                faults.push(format!("lines cross: {line:?} {other:?}"));
            }
        }
    }
    faults
}

/// Names of all lengths, and none twice.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,8}",
        1 => "[a-z][a-z0-9-]{20,57}[a-z0-9]",
    ]
}

/// Any valid cluster, as an inventory.
fn inventory() -> impl Strategy<Value = String> {
    let hosts = (
        1_usize..6,
        0_usize..4,
        0_usize..4,
        prop_oneof![0_usize..9, Just(50)],
    );
    (hosts, 0_u8..6, any::<bool>(), any::<bool>(), name()).prop_map(
        |((planes, odd, balancers, workers), kind, six, both, name)| {
            let external = odd > 0;
            let kind = match (kind, planes, balancers) {
                (0 | 1, _, 1..) => "haproxy",
                (2, _, 1..) => "nginx",
                (3, ..) => "kube-vip",
                (4, ..) => "external",
                (0, 1, _) => "none",
                _ => "local",
            };
            let on_hosts = matches!(kind, "haproxy" | "nginx");
            let mut roles = Vec::new();
            if on_hosts {
                roles.extend(vec!["load-balancer"; balancers]);
            }
            let plane = if both {
                "control-plane, worker"
            } else {
                "control-plane"
            };
            roles.extend(vec![plane; planes]);
            if external {
                roles.extend(vec!["etcd"; 2 * odd - 1]);
            }
            roles.extend(vec!["worker"; workers]);
            let address = |number: usize| match six {
                true => format!("\"2001:db8:1111:2222:3333:4444:5555:{number:x}\""),
                false => format!("192.0.2.{number}"),
            };
            let nodes: String = roles
                .iter()
                .zip(1..)
                .map(|(roles, number)| {
                    let address = address(number);
                    format!("  - {{name: {name}-{number}, ssh: {address}, roles: [{roles}]}}\n")
                })
                .collect();
            let vip = address(200);
            let balancer = match kind {
                "haproxy" | "nginx" | "kube-vip" => {
                    format!("loadBalancer: {{kind: {kind}, vip: {vip}}}\n")
                }
                "none" => String::new(),
                _ => format!("endpoint: api.{name}.example.org:6443\nloadBalancer: {kind}\n"),
            };
            let topology = if external { "topology: external\n" } else { "" };
            let network = match six {
                true => ", podCIDR: \"fd00:1::/48\", serviceCIDR: \"fd00:2::/112\"",
                false => "",
            };
            format!(
                "apiVersion: kdiy/v1alpha1\nname: {name}\nversion: \"1.34\"\n{topology}{balancer}\
                 controlPlane: {{etcd: {{allowEvenMembers: true}}}}\n\
                 nodes:\n{nodes}network: {{cni: none{network}}}\n"
            )
        },
    )
}

fn sound(map: &Diagram, columns: usize, metrics: &Metrics) {
    let faults = faults(&lay_out(map, columns, metrics), metrics);
    assert!(faults.is_empty(), "{columns} columns: {faults:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn nothing_lies_on_something_else(inventory in inventory(), columns in 40_usize..220) {
        let map = map(&inventory);
        sound(&map, columns, &TERMINAL);
        sound(&map, columns.max(60), &SVG);
        let shown = super::shown(&map, columns);
        let widest = shown.lines().map(|line| line.chars().count()).max();
        prop_assert!(widest <= Some(columns), "{shown}");
        for node in map.tiers.iter().flat_map(|tier| &tier.boxes) {
            prop_assert!(!node.nodes.is_empty());
        }
    }
}

#[test]
fn faults_are_seen() {
    let map = map(super::EXTERNAL);
    let good = lay_out(&map, 80, &TERMINAL);
    assert_eq!(faults(&good, &TERMINAL), [""; 0]);
    let spoil = |change: fn(&mut Drawing)| {
        let mut drawing = good.clone();
        change(&mut drawing);
        faults(&drawing, &TERMINAL).join("\n")
    };
    assert!(spoil(|drawing| drawing.boxes[3].rect.x += 9).contains("on each other"));
    assert!(spoil(|drawing| drawing.texts[0].rect.x += 30).contains("out of its box"));
    assert!(spoil(|drawing| drawing.texts[0].text.push_str("more")).contains("too narrow"));
    assert!(spoil(|drawing| drawing.lines[0].points[0].1 -= 1).contains("nowhere"));
    assert!(
        spoil(|drawing| {
            let last = drawing.lines.len() - 1;
            for point in &mut drawing.lines[last].points[1..3] {
                point.0 -= 9;
            }
        })
        .contains("through a")
    );
}
