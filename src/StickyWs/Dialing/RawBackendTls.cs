using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Dialing;

/// <summary>TLS to the backends of tunnels in the raw lane, if <c>Transport:Tls</c> asks for it. Decided once, when the first backend needs it.</summary>
internal sealed partial class RawBackendTls
{
    private readonly Lazy<TlsClientContext?> _context;
    private readonly BackendCertificates _certificates;
    private readonly BackendSessions _sessions;
    private readonly StickyWsMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public RawBackendTls(IOptionsMonitor<StickyWsOptions> options, StickyWsMetrics metrics, TimeProvider time, ILogger<RawBackendTls> logger)
    {
        (_metrics, _time, _logger) = (metrics, time, logger);
        _certificates = new BackendCertificates(time);
        _sessions = new BackendSessions(time);
        _context = new Lazy<TlsClientContext?>(() => Decide(options.CurrentValue.Transport.Tls));
    }

    /// <summary>Whether it is done here; if not, tunnels to TLS backends use the portable lane, and one line has said why.</summary>
    public bool IsOn => _context.Value is not null;

    /// <summary>Does the TLS handshake on a connected socket, and verifies the backend. Only while <see cref="IsOn"/>.</summary>
    /// <param name="socket">The socket. It stays the caller's.</param>
    /// <param name="address">The backend's address.</param>
    /// <param name="tls">The pool's options.</param>
    /// <param name="cancellationToken">Cancels the attempt.</param>
    /// <returns>The connection's stream, on the reactor's thread if this waited.</returns>
    /// <exception cref="AuthenticationException">The handshake failed, or the backend is not who it should be.</exception>
    /// <exception cref="IOException">The connection broke, or the CA file cannot be read.</exception>
    /// <exception cref="CryptographicException">The CA file cannot be read as PEM certificates.</exception>
    public async ValueTask<RawTlsStream> OpenAsync(RawSocket socket, Uri address, TlsOptions tls, CancellationToken cancellationToken)
    {
        var host = BackendCertificates.HostOf(tls, address, out var isAddress);
        var sessions = _sessions.Of(tls, address);
        var end = TlsEnd.Connect(_context.Value!, isAddress ? null : host);
        var stream = new RawTlsStream(socket, end);
        var startedAt = _time.GetTimestamp();
        var isOffered = false;
        TlsFacts? facts = null;
        try
        {
            isOffered = sessions.TryOffer(end);
            facts = await stream.HandshakeAsync(cancellationToken).ConfigureAwait(false);
            var verdict = await JudgeAsync(socket, address, tls, facts.PeerCertificates!, cancellationToken).ConfigureAwait(false);
            if (verdict.IsGood)
            {
                stream.KeepSessions(sessions);
                NoteEnd(facts, errorType: null, startedAt);
                return stream;
            }

            var refusal = verdict.ToException();
            stream.Refuse(verdict.Alert, refusal.Message);
            throw refusal;
        }
        catch (Exception e)
        {
            if (isOffered) sessions.Clear(); // Lest a backend that cannot cope with it, or hangs in it, never gets a full handshake.
            await stream.DisposeAsync().ConfigureAwait(false);
            NoteEnd(facts, DialError.TypeOf(e), startedAt);
            throw;
        }
    }

    private void NoteEnd(TlsFacts? facts, string? errorType, long startedAt)
        => _metrics.TlsHandshakeEnded(
            StickyWsMetrics.BackendSide, facts?.Version, facts?.IsResumed ?? false, errorType, _time.GetElapsedTime(startedAt));

    private async ValueTask<CertificateVerdict> JudgeAsync(
        RawSocket socket, Uri address, TlsOptions tls, IReadOnlyList<byte[]> sent, CancellationToken cancellationToken)
    {
        try
        {
            return await _certificates.JudgeAsync(tls, address, sent, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await socket.Reactor.SwitchTo();
        }
    }

    private TlsClientContext? Decide(TlsMode mode)
    {
        if (mode == TlsMode.SslStream) return null;
        try
        {
            if (TlsSupport.FirstClientRefusal() is { } refusal) throw new TlsUnavailableException(refusal);
            return TlsClientContext.Create(new TlsClientSettings
            {
                ApplicationProtocols = [SslApplicationProtocol.Http11],
                KeepsSsl = mode == TlsMode.OpenSsl,
                KeepsSessions = true,
            });
        }
        catch (Exception e) when (e is CryptographicException or TlsUnavailableException)
        {
            LogPortable(_logger, e.Message);
            return null;
        }
    }

    [LoggerMessage(EventIds.BackendTlsInPortableLane, LogLevel.Information,
        "Tunnels to https backends use the portable lane: {Obstacle}", EventName = "BackendTlsInPortableLane")]
    private static partial void LogPortable(ILogger logger, string obstacle);
}
