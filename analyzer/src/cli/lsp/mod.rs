//! `lockcheck lsp`: a language server over standard input and output.
//!
//! Guarantees: diagnostics of the whole workspace after it is opened, when a document is opened and when one is saved, with
//! what stands in open documents in place of what lies on disk; places in the encoding that client and server agreed on;
//! saves that wait while a scan runs are one scan. A file that does not parse, a configuration that is wrong and a request
//! that is not understood end nothing.
//!
//! Misses: diagnostics while typing, which would speak of half-written code.

mod actions;
mod analysis;
mod convert;
mod folders;
mod hover;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use gen_lsp_types::{
    CodeActionParams, CodeActionRequest, DidChangeTextDocumentNotification, DidChangeTextDocumentParams,
    DidChangeWatchedFilesNotification, DidChangeWorkspaceFoldersNotification, DidCloseTextDocumentNotification,
    DidCloseTextDocumentParams, DidOpenTextDocumentNotification, DidOpenTextDocumentParams,
    DidSaveTextDocumentNotification, DidSaveTextDocumentParams, HoverParams, HoverRequest, InitializeParams,
    LogMessageNotification, LogMessageParams, MessageType, Notification, PositionEncodingKind,
    PublishDiagnosticsNotification, PublishDiagnosticsParams, Request, TextDocumentContentChangeEvent, Uri,
};
use lsp_server::{Connection, ErrorCode, Message, RequestId, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Exit, Failure};
use convert::Encoding;
use folders::Folders;

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
    let mut server = Server { connection, folders: Folders::of(&params), encoding, published: BTreeSet::new() };
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
            "workspace": { "workspaceFolders": { "supported": true, "changeNotifications": true } },
        },
        "serverInfo": { "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") },
    })
}

/// What cannot be sent any more.
type Gone = Box<dyn std::error::Error>;

struct Server<'a> {
    connection: &'a Connection,
    folders: Folders,
    encoding: Encoding,
    /// Documents that have diagnostics at the client.
    published: BTreeSet<PathBuf>,
}

impl Server<'_> {
    fn serve(&mut self) -> Result<(), Gone> {
        loop {
            // Everything that is there already comes first: three saves are one scan.
            let message = match self.folders.are_stale() {
                true => self.connection.receiver.try_recv().ok(),
                false => Some(self.connection.receiver.recv()?),
            };
            match message {
                None => self.scan()?,
                Some(Message::Request(request)) => {
                    if self.connection.handle_shutdown(&request)? {
                        return Ok(());
                    }
                    if self.folders.are_stale() {
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
                let analysis = self.folders.of_document(&params.text_document.uri);
                analysis.stale |= analysis.open(&params.text_document.uri, params.text_document.text);
            }
        } else if is(DidChangeTextDocumentNotification::METHOD.as_str()) {
            if let Some(params) = read::<DidChangeTextDocumentParams>(notification.params) {
                let uri = &params.text_document.text_document_identifier.uri;
                let analysis = self.folders.of_document(uri);
                for change in params.content_changes {
                    match change {
                        TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => {
                            analysis.open(uri, whole.text);
                        }
                        TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                            analysis.edit(uri, part.range, &part.text, self.encoding);
                        }
                    }
                }
            }
        } else if is(DidCloseTextDocumentNotification::METHOD.as_str()) {
            if let Some(params) = read::<DidCloseTextDocumentParams>(notification.params) {
                let analysis = self.folders.of_document(&params.text_document.uri);
                analysis.stale |= analysis.close(&params.text_document.uri);
            }
        } else if is(DidSaveTextDocumentNotification::METHOD.as_str()) {
            if let Some(params) = read::<DidSaveTextDocumentParams>(notification.params) {
                self.folders.of_document(&params.text_document.uri).stale = true;
            }
        } else if is(DidChangeWatchedFilesNotification::METHOD.as_str()) {
            self.folders.all().iter_mut().for_each(|analysis| analysis.stale = true);
        } else if is(DidChangeWorkspaceFoldersNotification::METHOD.as_str()) {
            self.folders.change(&notification.params["event"]);
            // What was shown of a folder that is gone is taken back with the next scan.
            self.folders.all().iter_mut().for_each(|analysis| analysis.stale = true);
        }
    }

    fn request(&mut self, request: lsp_server::Request) -> Result<(), Gone> {
        let (id, method) = (request.id, request.method.as_str());
        let answer = if method == HoverRequest::METHOD.as_str() {
            read::<HoverParams>(request.params).map(|params| {
                let at = params.text_document_position_params;
                let analysis = self.folders.of_document(&at.text_document.uri);
                hover::hover(analysis, &at.text_document.uri, at.position, self.encoding)
            })
        } else if method == CodeActionRequest::METHOD.as_str() {
            read::<CodeActionParams>(request.params).map(|params| {
                let analysis = self.folders.of_document(&params.text_document.uri);
                actions::actions(analysis, &params, self.encoding)
            })
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
        let started = Instant::now();
        let (mut now, mut files) = (BTreeMap::new(), 0);
        let mut failed = Vec::new();
        for analysis in self.folders.all() {
            if analysis.stale
                && let Err(message) = analysis.scan()
            {
                failed.push(message);
            }
            for (path, mut diagnostics) in convert::diagnostics(analysis, self.encoding) {
                now.entry(path).or_insert_with(Vec::new).append(&mut diagnostics);
            }
            files += analysis.files();
        }
        let paths: BTreeSet<PathBuf> = now.keys().cloned().collect();
        for path in self.published.union(&paths) {
            let Ok(uri) = Uri::from_file_path(path) else { continue };
            // The client's own versions are not kept: a scan speaks of what was there when it began.
            let (version, diagnostics) = (None, now.remove(path).unwrap_or_default());
            self.notify::<PublishDiagnosticsNotification>(&PublishDiagnosticsParams { uri, version, diagnostics })?;
        }
        self.published = paths;
        for message in &failed {
            let message = message.clone();
            self.notify::<LogMessageNotification>(&LogMessageParams { kind: MessageType::Error, message })?;
        }
        if !failed.is_empty() {
            return Ok(());
        }
        let message = format!("scanned {files} files in {} ms", started.elapsed().as_millis());
        self.notify::<LogMessageNotification>(&LogMessageParams { kind: MessageType::Log, message })
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Option<T> {
    serde_json::from_value(value).ok()
}
