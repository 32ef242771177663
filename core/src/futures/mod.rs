//! Calls as futures, on the caller's tokio runtime.
//!
//! The library starts no thread here, except one for each name look-up. [`AsyncClient`] passes its
//! calls to a [`Driver`], which the caller runs. The futures of the client are `Send`. The driver
//! is not: run it in the root future of the runtime, together with the program.
//!
//! ```no_run
//! use zelf_core::{config::Config, error::Error, futures::AsyncClient};
//! use zelf_core::session_options::SessionOptions;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let (client, driver) = AsyncClient::new(&Config::default())?;
//!     let program = async move {
//!         let options = SessionOptions {
//!             identifier: "4f1d7c0b9a3e4c5d8b6a7f0e1d2c3b4a".into(),
//!             ..SessionOptions::default()
//!         };
//!         client.create_session(&options).await
//!     };
//!     // The driver ends when the program has dropped the client.
//!     let (driven, session) = tokio::join!(driver.run(), program);
//!     driven?;
//!     println!("a session with {} s left", session?.seconds_left());
//!     Ok(())
//! }
//! ```

mod async_client;
mod async_provider;
mod desk;
mod driver;

pub use async_client::AsyncClient;
pub use async_provider::AsyncProvider;
pub use driver::Driver;
