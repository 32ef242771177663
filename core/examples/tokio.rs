//! Gets a token with tokio, and sends a request with it.
//!
//!     cargo run -p zelf-core --example tokio -- IDENTIFIER [BASE_URL CA_FILE]

use std::{env, process::ExitCode};

use zelf_core::{
    config::Config, error::Error, futures::AsyncClient, provider::options::ProviderOptions,
    send::request::Request, session_options::SessionOptions,
};

async fn program(client: AsyncClient, identifier: String) -> Result<(), Error> {
    let options = SessionOptions {
        identifier: identifier.as_str().into(),
        ..SessionOptions::default()
    };
    let session = client.create_session(&options).await?;
    println!("a session with {} s left", session.seconds_left());

    let provider = client.provider(&options, &ProviderOptions::default())?;
    let request = Request::new("GET".into(), "/api/tags/search?tagName=a.zelf".into());
    let response = provider.send(&request).await?;
    println!(
        "HTTP {}, {} bytes",
        response.status(),
        response.body().len()
    );
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some(identifier) = arguments.first().cloned() else {
        eprintln!("usage: tokio IDENTIFIER [BASE_URL CA_FILE]");
        return ExitCode::FAILURE;
    };
    let mut config = Config::default();
    if let [_, base_url, ca_file] = &arguments[..] {
        config.base_url = base_url.as_str().into();
        config.ca_file = ca_file.as_str().into();
    }
    let done = match AsyncClient::new(&config) {
        // The driver ends when the program has dropped the client.
        Ok((client, driver)) => {
            let (driven, done) = tokio::join!(driver.run(), program(client, identifier));
            driven.and(done)
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.message);
            ExitCode::FAILURE
        }
    }
}
