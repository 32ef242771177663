//! The memory of many calls.

use std::fs;

use zelf_core::futures::AsyncClient;

use super::{
    guest::{child, child_config},
    on_one_thread, options, run, sandbox,
};

/// A leak of 100 bytes for each call.
const LEAK: u64 = 1000 * 1024;

fn memory() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages = statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap();
    pages * 4096
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Makes calls, twenty at once.
async fn create_often(client: &AsyncClient, times: u32) {
    for _ in 0..times / 20 {
        let calls: Vec<_> = (0..20)
            .map(|number| {
                let client = client.clone();
                // Equal calls would share a request.
                tokio::spawn(async move {
                    client
                        .create_session(&options(&format!("often-{number}")))
                        .await
                })
            })
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
    }
}

#[test]
fn ten_thousand_creations_leave_memory_and_descriptors_flat() {
    let sandbox = sandbox();
    let ended = child("memory::creates_often", &sandbox)
        .wait_with_output()
        .unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert!(sandbox.times_carried_out("POST /api/sessions") >= 11_000);
}

#[test]
#[ignore = "a child of another test"]
fn creates_often() {
    let Some(config) = child_config() else { return };
    run(&on_one_thread(), &config, |client| async move {
        create_often(&client, 1000).await;
        let (memory_before, descriptors_before) = (memory(), descriptors());
        create_often(&client, 10_000).await;
        let more = memory().saturating_sub(memory_before);
        assert!(more < LEAK, "{more} bytes more");
        // Twenty calls have at most as many connections, and may have had fewer before.
        assert!(descriptors() <= descriptors_before + 20);
    });
}
