//! `lockcheck lsp`: a language server over standard input and output.
//!
//! Guarantees: diagnostics of the whole workspace after it is opened, when a document is opened and when one is saved, with
//! what stands in open documents in place of what lies on disk; places in the encoding that client and server agreed on;
//! saves that wait while a scan runs are one scan. A file that does not parse, a configuration that is wrong and a request
//! that is not understood end nothing.
//!
//! Misses: diagnostics while typing, which would speak of half-written code; several workspace folders at once (the first
//! one counts).

mod actions;
mod analysis;
mod convert;
mod hover;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use gen_lsp_types::{
    CodeActionParams, CodeActionRequest, DidChangeTextDocumentNotification, DidChangeTextDocumentParams,
    DidChangeWatchedFilesNotification, DidCloseTextDocumentNotification, DidCloseTextDocumentParams,
    DidOpenTextDocumentNotification, DidOpenTextDocumentParams, DidSaveTextDocumentNotification, HoverParams,
    HoverRequest, InitializeParams, LogMessageNotification, LogMessageParams, MessageType, Notification,
    PositionEncodingKind, PublishDiagnosticsNotification, PublishDiagnosticsParams, Request,
    TextDocumentContentChangeEvent, Uri,
};
use lsp_server::{Connection, ErrorCode, Message, RequestId, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Exit, Failure};
use analysis::Analysis;
use convert::Encoding;

/// Serves until the client says goodbye.
pub(super) fn lsp() -> Result<Exit, Failure> {
    let (connection, threads) = Connection::stdio();
    let served = serve(&connection);
    drop(connection);
    // A client that is gone has closed the pipes.
    let _ = threads.join();
    served
}

fn serve(connection: &Connection) -> Result<Exit, Failure> {
    let gone = |error: &dyn std::fmt::Display| Failure(format!("the client went away: {error}"));
    let (id, params) = connection.initialize_start().map_err(|error| gone(&error))?;
    let params: InitializeParams =
        serde_json::from_value(params).map_err(|error| Failure(format!("`initialize` is not understood: {error}")))?;
    let encoding = Encoding::agreed(&params);
    connection.initialize_finish(id, capabilities(encoding)).map_err(|error| gone(&error))?;
    let mut server = Server {
        connection,
        analysis: Analysis::new(root(&params)),
        encoding,
        published: BTreeSet::new(),
        stale: true,
    };
    server.serve().map_err(|error| gone(&error))?;
    Ok(Exit::Clean)
}

fn capabilities(encoding: Encoding) -> Value {
    json!({
        "capabilities": {
            "positionEncoding": match encoding { Encoding::Utf8 => PositionEncodingKind::UTF8, Encoding::Utf16 => PositionEncodingKind::UTF16 },
            "textDocumentSync": { "openClose": true, "change": 2, "save": true },
            "hoverProvider": true,
            "codeActionProvider": { "codeActionKinds": ["quickfix"] },
        },
        "serverInfo": { "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") },
    })
}

fn root(params: &InitializeParams) -> PathBuf {
    let value = serde_json::to_value(params).unwrap_or_default();
    let folder = value["workspaceFolders"][0]["uri"].as_str().or(value["rootUri"].as_str());
    let folder = folder.and_then(|uri| uri.parse::<Uri>().ok()).and_then(|uri| uri.to_file_path().ok());
    folder.unwrap_or_else(|| std::env::current_dir().unwrap_or_default())
}

/// What cannot be sent any more.
type Gone = Box<dyn std::error::Error>;

struct Server<'a> {
    connection: &'a Connection,
    analysis: Analysis,
    encoding: Encoding,
    /// Documents that have diagnostics at the client.
    published: BTreeSet<PathBuf>,
    /// Something changed since the last scan.
    stale: bool,
}

impl Server<'_> {
    fn serve(&mut self) -> Result<(), Gone> {
        loop {
            // Everything that is there already comes first: three saves are one scan.
            let message = match self.stale {
                true => self.connection.receiver.try_recv().ok(),
                false => Some(self.connection.receiver.recv()?),
            };
            match message {
                None => self.scan()?,
                Some(Message::Request(request)) => {
                    if self.connection.handle_shutdown(&request)? {
                        return Ok(());
                    }
                    if self.stale {
                        self.scan()?;
                    }
                    self.request(request)?;
                }
                Some(Message::Notification(notification)) => self.notification(notification),
                Some(Message::Response(_)) => {}
            }
        }
    }

    fn notification(&mut self, notification: lsp_server::Notification) {
        let method = notification.method.as_str();
        let is = |expected: &str| method == expected;
        if is(DidOpenTextDocumentNotification::METHOD.as_str()) {
            if let Some(params) = read::<DidOpenTextDocumentParams>(notification.params) {
                self.stale |= self.analysis.open(&params.text_document.uri, params.text_document.text);
            }
        } else if is(DidChangeTextDocumentNotification::METHOD.as_str()) {
            if let Some(params) = read::<DidChangeTextDocumentParams>(notification.params) {
                let uri = &params.text_document.text_document_identifier.uri;
                for change in params.content_changes {
                    match change {
                        TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => {
                            self.analysis.open(uri, whole.text);
                        }
                        TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                            self.analysis.edit(uri, part.range, &part.text, self.encoding);
                        }
                    }
                }
            }
        } else if is(DidCloseTextDocumentNotification::METHOD.as_str()) {
            if let Some(params) = read::<DidCloseTextDocumentParams>(notification.params) {
                self.stale |= self.analysis.close(&params.text_document.uri);
            }
        } else if is(DidSaveTextDocumentNotification::METHOD.as_str())
            || is(DidChangeWatchedFilesNotification::METHOD.as_str())
        {
            self.stale = true;
        }
    }

    fn request(&mut self, request: lsp_server::Request) -> Result<(), Gone> {
        let (id, method) = (request.id, request.method.as_str());
        let answer = if method == HoverRequest::METHOD.as_str() {
            read::<HoverParams>(request.params).map(|params| {
                let at = params.text_document_position_params;
                hover::hover(&self.analysis, &at.text_document.uri, at.position, self.encoding)
            })
        } else if method == CodeActionRequest::METHOD.as_str() {
            read::<CodeActionParams>(request.params)
                .map(|params| actions::actions(&self.analysis, &params, self.encoding))
        } else {
            let message = format!("`{method}` is not supported");
            return self.respond(Response::new_err(id, ErrorCode::MethodNotFound as i32, message));
        };
        match answer {
            Some(value) => self.respond(Response::new_ok(id, value)),
            None => self.refuse(id),
        }
    }

    fn refuse(&self, id: RequestId) -> Result<(), Gone> {
        self.respond(Response::new_err(id, ErrorCode::InvalidParams as i32, "the parameters are not understood".into()))
    }

    fn respond(&self, response: Response) -> Result<(), Gone> {
        Ok(self.connection.sender.send(Message::Response(response))?)
    }

    fn notify<N: Notification>(&self, params: &N::Params) -> Result<(), Gone> {
        let notification =
            lsp_server::Notification { method: N::METHOD.as_str().to_owned(), params: serde_json::to_value(params)? };
        Ok(self.connection.sender.send(Message::Notification(notification))?)
    }

    /// Scans and publishes what is new; documents without findings any more get an empty list.
    fn scan(&mut self) -> Result<(), Gone> {
        self.stale = false;
        let started = Instant::now();
        if let Err(message) = self.analysis.scan() {
            return self.notify::<LogMessageNotification>(&LogMessageParams { kind: MessageType::Error, message });
        }
        let diagnostics = convert::diagnostics(&self.analysis, self.encoding);
        let now: BTreeSet<PathBuf> = diagnostics.keys().cloned().collect();
        for path in self.published.union(&now) {
            let Ok(uri) = Uri::from_file_path(path) else { continue };
            let version = self.analysis.version(path);
            let diagnostics = diagnostics.get(path).cloned().unwrap_or_default();
            self.notify::<PublishDiagnosticsNotification>(&PublishDiagnosticsParams { uri, version, diagnostics })?;
        }
        self.published = now;
        let message = format!("scanned {} files in {} ms", self.analysis.files(), started.elapsed().as_millis());
        self.notify::<LogMessageNotification>(&LogMessageParams { kind: MessageType::Log, message })
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Option<T> {
    serde_json::from_value(value).ok()
}
