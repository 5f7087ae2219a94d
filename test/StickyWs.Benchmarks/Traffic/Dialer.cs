using System.Globalization;
using System.Net.Security;
using StickyWs.Benchmarks.Native;
using StickyWs.Tls;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>How clients reach a balancer at a port of 127.0.0.1: without TLS, with it, or with it and the session of an earlier connection.</summary>
internal sealed class Dialer(int port, bool isTls) : IDisposable
{
    private static readonly Lazy<TlsClientContext> Context = new(
        () => TlsClientContext.Create(new TlsClientSettings { ApplicationProtocols = [SslApplicationProtocol.Http11], KeepsSsl = true }));

    private nint _session;

    /// <summary>From <c>PORT</c>, <c>tls:PORT</c> or <c>resumed:PORT</c>, which opens a connection to have its session.</summary>
    public static Dialer To(string target)
    {
        var parts = target.Split(':');
        var dialer = new Dialer(int.Parse(parts[^1], CultureInfo.InvariantCulture), isTls: parts.Length > 1);
        if (parts[0] != "resumed") return dialer;
        using var first = Opening.Tunnel(dialer);
        dialer._session = first.Tls!.TakeSession();
        return dialer;
    }

    /// <summary>Checks that a connection has resumed the session, if there is one.</summary>
    public void Check(Connection connection)
    {
        if (_session != 0 && !connection.Tls!.IsResumed) throw new IOException("The balancer did not resume a session.");
    }

    /// <inheritdoc cref="Tcp.Connect"/>
    public Connection Connect(int receiveBuffer = 0) => Over(Tcp.Connect(port, receiveBuffer));

    /// <inheritdoc cref="Tcp.ConnectOneOfMany"/>
    public Connection ConnectOneOfMany(long turn) => Over(Tcp.ConnectOneOfMany(port, turn));

    /// <inheritdoc cref="Tcp.BeginConnectOneOfMany"/>
    public Connection BeginConnectOneOfMany(long turn) => Over(Tcp.BeginConnectOneOfMany(port, turn));

    public void Dispose()
    {
        if (_session != 0) OpenSslSessions.SSL_SESSION_free(_session);
        _session = 0;
    }

    private Connection Over(int socket)
    {
        if (!isTls) return new Connection(socket);
        var ssl = Context.Value.Open();
        if (_session != 0) _ = OpenSslSessions.SSL_set_session(ssl, _session);
        return new Connection(socket, new TlsSession(ssl));
    }
}
