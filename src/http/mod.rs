//! The edge: everything between a socket and the site, and the only folder that names warp.
//!
//! ```text
//! Listener -> serve -> Guard (deadlines) -> hyper -> one warp filter -> Handler
//! ```
//!
//! | File          | Its one job                                                       |
//! |---------------|-------------------------------------------------------------------|
//! | `listen.rs`   | an address as written becomes listening sockets                   |
//! | `server.rs`   | the accept loop, one task per connection, the graceful stop       |
//! | `connections.rs` | how many connections there may be, and which one has to go       |
//! | `descriptors.rs` | how many files the process may have open                         |
//! | `guard.rs`    | the deadlines of a connection that hyper does not keep            |
//! | `small_writes.rs` | what goes to the socket in pieces goes as one                 |
//! | `activity.rs` | what guard, service and bodies of one connection tell each other  |
//! | `filter.rs`   | the one warp filter: a request in, a reply out, never a rejection |
//! | `body.rs`     | a request body, read under a size and a time limit                |
//! | `handler.rs`  | the seam: [`Handler`], which answers, and [`Incoming`]            |
//! | `limits.rs`   | every size and deadline of the edge in one place                  |
//! | `served.rs`   | the site as a handler: which one answers, and what the log is told |
//! | `access_log.rs` | one line in the log for each request                            |
//! | `failure_log.rs` | why requests failed                                            |
//! | `refused_cookies.rs` | how many session cookies were refused, and why             |
//! | `answer.rs`   | the life of a request: host, route, body, session, reply          |
//! | `failed.rs`   | the one way from a failure to a response                          |
//! | `broken.rs`   | the page of a site that has never been good                       |
//! | `files/`      | static files: ranges, conditions, precompressed copies            |
//! | `live_reload.rs` | the script in pages under `--reload`                           |
//! | `outage.rs`   | one line in the log when the session store fails, one when it is back |
//! | `host.rs`     | whether a request is for this site                                |
//! | `origin.rs`   | who asks, and whether by HTTPS, proxies considered                |
//! | `params.rs`   | queries and bodies to parameters                                  |
//! | `multipart.rs`| bodies in parts to parameters                                     |
//! | `response_body.rs` | bytes, or a file that is sent as it is read                  |
//! | `page.rs`     | replies to responses, and the pages for failures                  |

mod access_log;
mod activity;
pub mod answer;
mod body;
mod broken;
mod connections;
pub mod descriptors;
mod failed;
mod failure_log;
mod files;
mod filter;
mod guard;
mod handler;
mod host;
mod limits;
mod listen;
mod live_reload;
mod looking;
mod missed;
mod multipart;
mod origin;
mod outage;
pub mod page;
mod params;
mod refused_cookies;
mod response_body;
mod served;
mod server;
mod small_writes;

pub use access_log::ACCESS_LOG;
pub use body::{BodyError, RequestBody};
pub use filter::drop_body;
pub use handler::{Connection, Handler, Incoming, Trouble};
pub use limits::Limits;
pub use listen::{Address, ListenError, Listener};
pub use params::form;
pub use response_body::ResponseBody;
pub use served::Served;
pub use server::{Ending, serve};
