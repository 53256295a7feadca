//! What `benches/compare` measures against: hyper, and nothing else.
//!
//! It listens on a free port of 127.0.0.1, prints its address, and answers every request with the
//! response on its standard input: header lines, an empty line, the body.
#![allow(clippy::print_stdout, reason = "the address is the program's output")]

use std::convert::Infallible;
use std::error::Error;
use std::io::{self, Read};
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Response};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let (headers, body) = parse(&text)?;
    let page = Arc::new((headers, body.to_owned()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let page = Arc::clone(&page);
        let service = service_fn(move |_request| {
            let (headers, body) = &*page;
            let mut response = Response::new(body.clone());
            *response.headers_mut() = headers.clone();
            async { Ok::<_, Infallible>(response) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// The header lines before the first empty line, and the body after it.
fn parse(text: &str) -> Result<(HeaderMap, &str), Failure> {
    let (head, body) = text.split_once("\n\n").ok_or("no empty line behind the headers")?;
    let mut headers = HeaderMap::new();
    for line in head.lines() {
        let (name, value) = line.split_once(": ").ok_or("a header line without a colon")?;
        headers.append(name.parse::<HeaderName>()?, value.parse::<HeaderValue>()?);
    }
    Ok((headers, body))
}
