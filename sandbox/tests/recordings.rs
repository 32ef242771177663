//! Sends each recorded request to the sandbox and compares the answer with the recorded one:
//! status, headers and their order, the shape and the length of the body, the claims, and which
//! answers are about the same session.
//!
//! Intended differences:
//! * tokens, session ids and times, which are different in each run. The test compares their
//!   relations: equal ids stay equal, and ages stay the same.
//! * `50a-key.txt`: the sandbox's key block has valid armor around bytes that are not a key, so its
//!   text and its length differ.
//! * `62a-mongo-down.txt`: the sandbox has no database that can fail, so a fault gives that answer.

mod common;

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use common::recording::Recording;
use common::{Answer, create, get, http, named, sandbox, sandbox_with};
use serde_json::{Value, json};
use zelf_sandbox::{Reply, Sandbox};

/// The state of a run that plays recordings.
struct Player {
    sandbox: Sandbox,
    /// Maps a recorded session id to the id in this run and its latest token.
    sessions: HashMap<String, (String, String)>,
    played: Vec<String>,
    started: Instant,
}

impl Player {
    fn new(sandbox: Sandbox) -> Self {
        Player {
            sandbox,
            sessions: HashMap::new(),
            played: Vec::new(),
            started: Instant::now(),
        }
    }

    /// Plays one recording, and compares the answer.
    fn play(&mut self, name: &str) {
        let recording = Recording::read(name);
        let token = recording.token().map(|recorded| self.token_for(recorded));
        let mut wire = http(&self.sandbox);
        wire.send(recording.request(token.as_deref()));
        if recording.continued {
            assert_eq!(wire.receive_head().expect(name), (100, vec![]), "{name}");
        }
        let answer = wire.receive();
        self.compare(&recording, &answer);
        self.played.push(name.to_owned());
    }

    /// Returns the token of this run for a recorded one. If the signature of the recorded token was
    /// changed, it is changed here too.
    fn token_for(&self, recorded: &str) -> String {
        let session = common::claims_of(recorded)["session"]
            .as_str()
            .unwrap()
            .to_owned();
        let (_, token) = self
            .sessions
            .get(&session)
            .expect("a session of an earlier recording");
        match recorded.ends_with("AAAAA") {
            true => format!("{}AAAAA", &token[..token.len() - 5]),
            false => token.clone(),
        }
    }

    /// Sets which session of this run corresponds to one whose creation was not recorded.
    fn stands_for(&mut self, recording: &str, answer: &Answer) {
        let recording = Recording::read(recording);
        let recorded = match recording.token() {
            Some(token) => common::claims_of(token)["session"]
                .as_str()
                .unwrap()
                .to_owned(),
            None => recording.answer.session(),
        };
        self.sessions
            .insert(recorded, (answer.session(), answer.token()));
    }

    fn compare(&mut self, recording: &Recording, answer: &Answer) {
        let (name, recorded) = (&recording.name, &recording.answer);
        assert_eq!(answer.status, recorded.status, "{name}");
        assert_eq!(answer.header_names(), recorded.header_names(), "{name}");
        for (header, value) in &recorded.headers {
            let ours_to_choose =
                header == "Date" || (header == "Content-Length" && name == "50a-key.txt");
            if !ours_to_choose {
                assert_eq!(
                    answer.header(header),
                    Some(value.as_str()),
                    "{name}: {header}"
                );
            }
        }
        if recorded.status == 200 && recorded.json()["data"]["token"].is_string() {
            self.compare_sessions(name, recorded, answer);
        } else if name == "50a-key.txt" {
            assert!(answer.json()["data"].is_string(), "{name}");
        } else {
            assert_eq!(answer.text(), recorded.text(), "{name}");
        }
    }

    fn compare_sessions(&mut self, name: &str, recorded: &Answer, answer: &Answer) {
        assert_eq!(answer.body.len(), recorded.body.len(), "{name}");
        let member_names = |answer: &Answer| {
            let text = answer.text();
            ["token", "activatedAt", "expiresAt"].map(|name| text.find(&format!("\"{name}\":")))
        };
        assert_eq!(
            member_names(answer),
            member_names(recorded),
            "{name}: order of members"
        );

        let without_session = |answer: &Answer| {
            let mut claims = answer.claims();
            claims["session"] = json!(null);
            claims["iat"] = json!(null);
            claims
        };
        assert_eq!(without_session(answer), without_session(recorded), "{name}");
        assert_eq!(
            claim_order(answer),
            claim_order(recorded),
            "{name}: order of claims"
        );
        assert_eq!(answer.session().len(), recorded.session().len(), "{name}");

        let age = |answer: &Answer| answer.date() - answer.activated_at();
        // The sessions have aged since the start of the run.
        let slack = 3 + i64::try_from(self.started.elapsed().as_secs()).expect("a time");
        assert!((age(answer) - age(recorded)).abs() <= slack, "{name}: age");
        assert_eq!(
            answer.expires_at() - answer.activated_at(),
            recorded.expires_at() - recorded.activated_at(),
            "{name}"
        );
        assert!(
            (answer.claims()["iat"].as_i64().unwrap() - answer.date()).abs() <= 1,
            "{name}: iat"
        );

        let (ours, theirs) = (answer.session(), recorded.session());
        for (known_theirs, (known_ours, _)) in &self.sessions {
            assert_eq!(
                *known_ours == ours,
                *known_theirs == theirs,
                "{name}: same session"
            );
        }
        self.sessions.insert(theirs, (ours, answer.token()));
    }

    fn control(&self, line: &str, body: Value) {
        let (method, path) = line.split_once(' ').expect("method and path");
        self.sandbox.control(method, path, &body).expect(line);
    }
}

/// Returns the names of the claims, in the order of the token.
fn claim_order(answer: &Answer) -> Vec<String> {
    use base64::Engine as _;
    let token = answer.token();
    let claims = token.split('.').nth(1).expect("claims");
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(claims)
        .expect("base64");
    let text = String::from_utf8(claims).expect("UTF-8");
    let mut names: Vec<_> = [
        "domain",
        "ethAddress",
        "identifier",
        "ip",
        "session",
        "tagName",
        "iat",
    ]
    .into_iter()
    .filter_map(|name| Some((text.find(&format!("\"{name}\":"))?, name.to_owned())))
    .collect();
    names.sort_unstable();
    names.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn the_sandbox_answers_as_the_service_was_recorded() {
    let mut player = Player::new(sandbox());

    player.play("01-empty-object.txt");
    player.play("02-no-body-no-ct.txt");
    player.play("06-full.txt");
    player.play("07-full-again.txt");
    player.sandbox.set_clock_skew(36);
    player.play("08-full-later.txt");
    player.play("09-kill.txt");
    player.play("10a-idA.txt");
    player.play("10b-idB.txt");
    player.play("11a-tag.txt");
    player.play("11b-tag-otherid.txt");
    player.play("12a-badtype.txt");
    player.play("13a-date-id.txt");
    player.play("13b-date-id-again.txt");
    player.play("14a-unicode.txt");
    player.play("17b-json-1MiB+1.txt");
    player.play("18a-no-origin.txt");
    player.play("18b-empty-origin.txt");
    player.play("19a-malformed.txt");
    player.play("21a-get.txt");

    // The recorded session of that address had a very long identifier.
    player.control("DELETE /sandbox/sessions", json!({}));
    create(&player.sandbox, named(&"L".repeat(2000)));
    player.play("20b-text.txt");

    create(&player.sandbox, named("dup_ip"));
    player.play("22c-dup-other-ip.txt");
    player.play("50a-key.txt");
    player.play("50c-noid.txt");

    // A session from its creation and its expiry to its end.
    player.play("30a-new.txt");
    player.control(
        "POST /sandbox/age",
        json!({"identifier": "exp_a", "seconds": 589}),
    );
    player.play("30b-age590.txt");
    player.control(
        "POST /sandbox/age",
        json!({"identifier": "exp_a", "seconds": 50}),
    );
    player.play("30c-expired-unreaped.txt");
    player.play("30d-use-expired-zns.txt");
    player.play("30e-kill-expired.txt");
    player.play("30g-newtoken.txt");
    old_token_after_kill(&player);
    player.control(
        "POST /sandbox/age",
        json!({"identifier": "exp_a", "seconds": 601}),
    );
    player.sandbox.reap();
    player.play("30h-reaped-zns.txt");
    player.play("30k-new-after-reap.txt");

    // Really use the limits up.
    let limited = create(&player.sandbox, named("lim_g"));
    player.stands_for("31d-global-3001.txt", &limited);
    use_up(
        &player.sandbox,
        "/api/ethereum/address",
        &limited.token(),
        3000,
    );
    player.play("31d-global-3001.txt");
    player.play("31e-create-while-over-limit.txt");
    player.play("31g-kill.txt");
    let killed = Recording::read("31g-kill.txt").answer.session();
    let token = player.sessions[&killed].1.clone();
    use_up(
        &player.sandbox,
        "/api/zelf-name-service/v2/search?zelfName=a",
        &token,
        299,
    );
    player.play("32b-search-300.txt");

    let authorized = create(&player.sandbox, named("auth_a"));
    player.stands_for("40a-bearer.txt", &authorized);
    player.play("40a-bearer.txt");
    player.play("40n-none.txt");
    player.play("40q-badsig.txt");

    let mut starting = Player::new(sandbox_with(|options| options.starting_for = 1));
    starting.play("60a-nodb-startup.txt");
    player.played.append(&mut starting.played);
    player
        .played
        .extend(["30f-oldtoken-after-kill.txt", "62a-mongo-down.txt"].map(String::from));
    assert_that_all_were_played(&player.played);
}

/// `30f` uses the token that 30c returned, of the session that 30e killed.
fn old_token_after_kill(player: &Player) {
    let recording = Recording::read("30f-oldtoken-after-kill.txt");
    let token = player.token_for(recording.token().expect("a token"));
    let answer = http(&player.sandbox).exchange(recording.request(Some(&token)));
    assert_eq!(
        (answer.status, answer.text()),
        (403, recording.answer.text())
    );
    assert_eq!(answer.header_names(), recording.answer.header_names());
}

fn use_up(sandbox: &Sandbox, path: &str, token: &str, times: u32) {
    let mut wire = http(sandbox);
    for nth in 1..=times {
        assert_eq!(wire.exchange(get(path, token)).status, 200, "use {nth}");
    }
}

fn assert_that_all_were_played(played: &[String]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/exchanges");
    let mut missed: Vec<String> = std::fs::read_dir(folder)
        .expect("the recordings")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .filter(|name| name.ends_with(".txt") && !played.contains(name))
        .collect();
    missed.sort();
    assert_eq!(missed, Vec::<String>::new());
}

#[test]
fn a_fault_answers_like_a_service_whose_database_is_away() {
    let sandbox = sandbox();
    sandbox.inject(Reply::error(500, "connect ECONNREFUSED 127.0.0.1:27917"));
    let answer = create(&sandbox, json!({}));
    Player::new(sandbox).compare(&Recording::read("62a-mongo-down.txt"), &answer);
}

#[test]
fn a_raw_fault_replays_a_recording_byte_by_byte() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/exchanges");
    let text = std::fs::read_to_string(folder.join("01-empty-object.txt")).expect("a recording");
    let (_, recorded) = text.split_once('\n').expect("an answer");
    let sandbox = sandbox();
    let fault = json!({"kind": "raw", "text": recorded, "keep": false});
    sandbox.inject(zelf_sandbox::Fault::from_value(fault).expect("a fault"));
    let mut wire = http(&sandbox);
    wire.send(common::create_request(&json!({})));
    assert_eq!(wire.rest(), recorded.as_bytes());
}
