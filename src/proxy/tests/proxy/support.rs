//! A proxy on its own port, clients and servers that speak raw HTTP/1.1.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use orrery_proxy::{ErrorTarget, ProxyConfig, Route, RouteTable, Routes, bind, serve};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Runs one test in its own runtime, under a deadline.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let test = async { timeout(Duration::from_secs(30), test).await };
    let outcome = tokio::task::LocalSet::new().block_on(&runtime, test);
    assert!(outcome.is_ok(), "the test did not end within 30 seconds");
}

/// Polls a condition until it holds; the deadline of `run` bounds it.
pub(crate) async fn eventually(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// One worker, so that "the same pool" means something.
pub(crate) fn config() -> ProxyConfig {
    ProxyConfig { workers: 1, drain_timeout: Duration::from_secs(20), ..ProxyConfig::default() }
}

pub(crate) fn route(spec: &str, target: &str) -> std::sync::Arc<Route> {
    Route::new(spec, target, Value::Null).unwrap()
}

pub(crate) struct Proxy {
    pub(crate) addr: SocketAddr,
    pub(crate) routes: Routes,
    pub(crate) handle: orrery_proxy::ServerHandle,
}

impl Proxy {
    pub(crate) fn start(routes: &[(&str, String)]) -> Self {
        Self::with(config(), routes)
    }

    pub(crate) fn with(config: ProxyConfig, routes: &[(&str, String)]) -> Self {
        let table = Routes::default();
        table.publish(RouteTable::new(routes.iter().map(|(spec, target)| route(spec, target))));
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let addr = listener.local_addr().unwrap();
        let handle = serve(vec![listener.into()], table.clone(), config).unwrap();
        Self { addr, routes: table, handle }
    }

    pub(crate) fn with_error_target(target: &str, routes: &[(&str, String)]) -> Self {
        let error_target = Some(ErrorTarget::new(target).unwrap());
        Self::with(ProxyConfig { error_target, ..config() }, routes)
    }

    pub(crate) async fn client(&self) -> Wire {
        Wire::new(TcpStream::connect(self.addr).await.unwrap())
    }

    /// One GET on its own connection.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let mut client = self.client().await;
        client.send(format!("GET {path} HTTP/1.1\r\nHost: hub\r\n\r\n")).await;
        client.answer().await
    }
}

/// A message head: its first line and its fields, names in lower case.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) first: String,
    fields: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    pub(crate) fn code(&self) -> u16 {
        self.first.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap()
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn code(&self) -> u16 {
        self.head.code()
    }
}

/// One end of a connection.
pub(crate) struct Wire(BufReader<TcpStream>);

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self(BufReader::new(stream))
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).await.unwrap();
    }

    /// As `send`, to a peer that may be gone.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes.as_ref()).await
    }

    /// Says that nothing more comes, and still listens.
    pub(crate) async fn finish(&mut self) {
        self.0.get_mut().shutdown().await.unwrap();
    }

    /// Sends a head, then bytes without end, until the peer is gone.
    pub(crate) async fn send_until_refused(&mut self, head: &str) {
        self.send(head).await;
        while self.0.get_mut().write_all(&[0; 65536]).await.is_ok() {}
    }

    pub(crate) async fn send_chunk(&mut self, text: &str) {
        self.send(format!("{:x}\r\n{text}\r\n", text.len())).await;
    }

    /// The next head, or `None` when the peer has closed.
    pub(crate) async fn try_head(&mut self) -> Option<Head> {
        let first = self.line().await?;
        let mut fields = Vec::new();
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Some(Head { first, fields });
            }
            let (name, value) = line.split_once(':').unwrap();
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    pub(crate) async fn head(&mut self) -> Head {
        self.try_head().await.unwrap()
    }

    /// The next head, byte for byte, without the empty line at its end.
    pub(crate) async fn raw_head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            self.0.read_line(&mut head).await.unwrap();
        }
        head.trim_end().to_owned()
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line).await {
            Ok(length) if length > 0 => Some(line.trim_end().to_owned()),
            _ => None,
        }
    }

    pub(crate) async fn bytes(&mut self, length: usize) -> String {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).await.unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// The next chunk; empty at the end of the body.
    pub(crate) async fn chunk(&mut self) -> String {
        let size = self.line().await.unwrap();
        let size = usize::from_str_radix(&size, 16).unwrap();
        let chunk = self.bytes(size).await;
        assert_eq!(self.bytes(2).await, "\r\n");
        chunk
    }

    /// The body that a head announces.
    pub(crate) async fn body(&mut self, head: &Head) -> String {
        if let Some(length) = head.get("content-length") {
            return self.bytes(length.parse().unwrap()).await;
        }
        let mut body = String::new();
        if head.get("transfer-encoding").is_some() {
            loop {
                match self.chunk().await {
                    last if last.is_empty() => break,
                    chunk => body.push_str(&chunk),
                }
            }
        }
        body
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        let head = self.head().await;
        let body = self.body(&head).await;
        Answer { head, body }
    }

    /// Waits for the peer to close, and returns what it still sent.
    pub(crate) async fn until_closed(&mut self) -> String {
        let mut rest = Vec::new();
        // A reset is a close as well; what came before it counts.
        let _ = self.0.read_to_end(&mut rest).await;
        String::from_utf8_lossy(&rest).into_owned()
    }
}

/// A server behind the proxy.
pub(crate) struct Backend {
    pub(crate) addr: SocketAddr,
    /// Connections accepted so far.
    pub(crate) connections: Rc<Cell<usize>>,
}

impl Backend {
    /// Serves every connection with `handler`.
    pub(crate) async fn start<F, Served>(handler: F) -> Self
    where
        F: Fn(Wire) -> Served + 'static,
        Served: Future<Output = ()> + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let connections = Rc::new(Cell::new(0));
        let counter = Rc::clone(&connections);
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.set(counter.get() + 1);
                tokio::task::spawn_local(handler(Wire::new(stream)));
            }
        });
        Self { addr, connections }
    }

    /// Answers every request with its own first line and body.
    pub(crate) async fn mirror() -> Self {
        Self::start(mirror).await
    }

    /// Answers every request with `name`.
    pub(crate) async fn named(name: &'static str) -> Self {
        Self::answering(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len())).await
    }

    /// Sends the same bytes after every request.
    pub(crate) async fn answering(bytes: impl Into<String>) -> Self {
        let (backend, _) = Self::recording(bytes).await;
        backend
    }

    /// As `answering`, and keeps the heads of the requests.
    pub(crate) async fn recording(bytes: impl Into<String>) -> (Self, Rc<RefCell<Vec<Head>>>) {
        let (bytes, heads) = (bytes.into(), Rc::new(RefCell::new(Vec::new())));
        let kept = Rc::clone(&heads);
        let backend = Self::start(move |mut wire| {
            let (bytes, heads) = (bytes.clone(), Rc::clone(&kept));
            async move {
                while let Some(head) = wire.try_head().await {
                    wire.body(&head).await;
                    heads.borrow_mut().push(head);
                    wire.send(&bytes).await;
                }
            }
        })
        .await;
        (backend, heads)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

async fn mirror(mut wire: Wire) {
    while let Some(head) = wire.try_head().await {
        let body = wire.body(&head).await;
        let text = format!("{}\n{body}", head.first);
        wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len())).await;
    }
}

/// The URL of a port on which nobody listens.
pub(crate) async fn dead_url() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
