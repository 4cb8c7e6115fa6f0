//! What a program says when it is asked.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;

/// The most that is read of an answer.
const LONGEST: u64 = 64 << 10;

/// What a program prints, if it ends well and in time; else why not.
pub(super) fn ask(program: &Path, arguments: &[&str], patience: Duration) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|failed| failed.to_string())?;
    let asked = async {
        let mut child = tokio::process::Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let mut said = Vec::new();
        if let Some(output) = child.stdout.take() {
            output.take(LONGEST).read_to_end(&mut said).await?;
        }
        Ok::<_, std::io::Error>((child.wait().await?, String::from_utf8_lossy(&said).into_owned()))
    };
    let answer = runtime.block_on(async { tokio::time::timeout(patience, asked).await });
    let (status, said) = match answer {
        Err(_) => return Err(format!("it took more than {} seconds", patience.as_secs())),
        Ok(answer) => answer.map_err(|failed| failed.to_string())?,
    };
    if status.success() { Ok(said) } else { Err(format!("it ended with {status}")) }
}
