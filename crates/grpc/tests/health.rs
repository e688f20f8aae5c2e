//! Promise: a standard health client, without a certificate, learns whether the server runs, and whether so many workers are
//! connected that steps can be decoded as proved; it can do nothing else, and however many of them come, workers are served.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use common::{join, made, settings};
use ecode_grpc::Server;
use ecode_server::Rules;
use tonic::Code;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const WORKERS: &str = "ecode.v1.Election";

/// A port whose connections a server answers.
fn port(server: &Server) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let health = server.health();
    std::thread::spawn(move || listener.incoming().map_while(Result::ok).try_for_each(health));
    address
}

/// What a health client hears.
fn ask(address: SocketAddr, service: &str) -> Result<ServingStatus, Code> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let request = HealthCheckRequest { service: service.into() };
    runtime.block_on(async {
        let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await;
        let mut client = HealthClient::new(channel.map_err(|_| Code::Unavailable)?);
        let answer = client.check(request).await.map_err(|status| status.code())?;
        Ok(answer.into_inner().status())
    })
}

fn becomes(address: SocketAddr, expected: ServingStatus) {
    let begun = Instant::now();
    while ask(address, WORKERS) != Ok(expected) {
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", ask(address, WORKERS));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_standard_client_hears_whether_enough_workers_are_there() {
    // As many declared liars as are tolerated: nobody may be missing.
    let (_folder, keys_of, server_keys) = made(3);
    let server = Server::start(settings(Rules::new(3, 1, 1).unwrap()), &server_keys).unwrap();
    let address = port(&server);
    let workers = server.address().to_string();
    assert_eq!(ask(address, ""), Ok(ServingStatus::Serving));
    becomes(address, ServingStatus::NotServing);
    let mut clients: Vec<_> = (0..3).map(|row| join(&workers, &keys_of(row), (0, 0)).unwrap()).collect();
    becomes(address, ServingStatus::Serving);
    clients.pop();
    becomes(address, ServingStatus::NotServing);
    assert_eq!(ask(address, ""), Ok(ServingStatus::Serving));
    assert_eq!(ask(address, "something.Else"), Err(Code::NotFound));
    server.stop("that was all", true);
    assert!(ask(address, "").is_err());
}

/// Connections that say nothing, more than are kept, cost probes their answer and workers nothing.
#[test]
fn too_many_probes_are_closed_and_workers_are_served_all_the_same() {
    let (_folder, keys_of, server_keys) = made(3);
    let server = Server::start(settings(Rules::new(3, 1, 0).unwrap()), &server_keys).unwrap();
    let address = port(&server);
    let silent: Vec<_> = (0..100).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
    let begun = Instant::now();
    while ask(address, "").is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(30), "all of them are kept");
    }
    let workers = server.address().to_string();
    let _joined: Vec<_> = (0..3).map(|row| join(&workers, &keys_of(row), (0, 0)).unwrap()).collect();
    drop(silent);
    becomes(address, ServingStatus::Serving);
}
