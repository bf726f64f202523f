//! A warm reader reads a stream of differences without allocating.

use callgauge::ingest::Reader;

use crate::common::reading::recording;
use crate::counting::requests;

#[test]
fn warm_delta_reader_does_not_allocate() {
    let text = recording("other/mesh3.rtcstats3.gz");
    let lines: Vec<_> = text.split(|&byte| byte == b'\n').collect();
    let (warm_up, steady) = lines.split_at(lines.len() / 2);
    let mut reader = Reader::new();
    let (mut entries, mut snapshots) = (0, 0);
    let mut read = |lines: &[&[u8]]| {
        requests(|| {
            for line in lines {
                reader
                    .read(line, &mut |snapshot| {
                        entries += snapshot.report.len();
                        snapshots += 1;
                    })
                    .unwrap();
            }
        })
    };
    let (warming, steady) = (read(warm_up), read(steady));
    eprintln!("{warming} allocations warming up, {steady} afterwards; {snapshots} snapshots, {entries} entries");
    assert!(snapshots > 500 && warming > 0);
    assert_eq!(steady, 0);
    assert_eq!(event_allocations(), 0);
}

/// How often a warm reader allocates for the log events between the snapshots.
fn event_allocations() -> u64 {
    let sdp = "v=0\\r\\nm=audio 9 X 0\\r\\n".repeat(40);
    let lines = [
        r#"["oniceconnectionstatechange","A","checking",5]"#.to_owned(),
        format!(r#"["setRemoteDescription","A",{{"type":"answer","sdp":"{sdp}"}},5]"#),
        r#"["ontrack","A","{\"kind\":\"audio\",\"id\":\"t\",\"streams\":[\"s\"]}",5]"#.to_owned(),
        r#"["createOfferOnFailure","A","OperationError: \"no\"",5]"#.to_owned(),
        r#"["identity",null,{"userId":"\u00e9","confName":"c\n"},5]"#.to_owned(),
    ];
    let mut reader = Reader::new();
    let (mut allocations, mut items) = (0, 0);
    for _ in 0..3 {
        allocations = requests(|| {
            for line in &lines {
                reader.read_all(line.as_bytes(), &mut |_| items += 1).unwrap();
            }
        });
    }
    assert_eq!(items, 3 * lines.len());
    allocations
}
