//! Creates a session with reqwest in Rust, as on the public page, and uses its token.

use std::error::Error;
use std::process::ExitCode;

use serde_json::{Value, json};

async fn run() -> Result<bool, Box<dyn Error>> {
    let base = std::env::var("ZELF_HTTP")?;
    // A build for https would name its roots here. This one only uses plain HTTP.
    let client = reqwest::Client::builder().tls_certs_only([]).build()?;
    let answer = client
        .post(format!("{base}/api/sessions"))
        .header("Origin", "https://app.example.com")
        .header("Content-Type", "application/json")
        .body(json!({}).to_string())
        .send()
        .await?
        .error_for_status()?;
    let body: Value = serde_json::from_slice(&answer.bytes().await?)?;
    let data = &body["data"];
    let token = data["token"].as_str().unwrap_or_default();
    let lifetime = data["expiresAt"]
        .as_i64()
        .zip(data["activatedAt"].as_i64())
        .map(|(to, from)| to - from);

    let used = client
        .get(format!(
            "{base}/api/zelf-name-service/v2/search?zelfName=abc.zelf"
        ))
        .header("Authorization", format!("Bearer {token}"))
        .send()
        .await?;

    let is_token = token.starts_with("ey") && token.split('.').count() == 3;
    let promises = [
        (is_token, "Rust with reqwest gets a token"),
        (lifetime == Some(600), "of a session of 600 s"),
        (
            used.status() == 200,
            "which a route that looks for the session accepts",
        ),
    ];
    for (kept, name) in promises {
        println!("{} {name}", if kept { "ok -" } else { "not ok -" });
    }
    Ok(promises.iter().all(|&(kept, _)| kept))
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    // This build of reqwest has no cryptography provider. The library also uses ring.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(match runtime.block_on(run())? {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
