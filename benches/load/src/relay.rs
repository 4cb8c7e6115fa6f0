//! The floor: a relay that looks at nothing, one connection to the target for each client. No proxy that copies bytes in
//! user space can cost much less, so it tells which ratios are possible on a machine at all.

use std::io;

use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::{TcpListener, TcpStream};

const BUFFER: usize = 64 * 1024;

/// Relays until the process is ended.
pub(crate) async fn serve(address: &str, target: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    loop {
        let (client, _) = listener.accept().await?;
        let target = target.to_owned();
        tokio::spawn(async move { relay(client, &target).await });
    }
}

async fn relay(mut client: TcpStream, target: &str) -> io::Result<()> {
    let mut server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER, BUFFER).await.map(drop)
}
