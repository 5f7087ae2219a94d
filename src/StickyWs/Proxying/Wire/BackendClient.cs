using System.Diagnostics;
using System.Net;
using System.Text;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Names;
using StickyWs.Transport;
using Yarp.ReverseProxy.Forwarder;

namespace StickyWs.Proxying;

/// <summary>
/// The HTTP client of one pool, or of one client of the pool whose connection is authenticated, with its kept connections. It is reference-counted:
/// the table holds one reference and every request another; the last release closes the connections.
/// </summary>
internal sealed class BackendClient
{
    private readonly long _revision;
    private readonly PoolOptions _options;
    private int _uses = 1;

    public BackendClient(PoolDefinition pool, ClientSettings settings, Func<HttpMessageHandler, BackendHandler> wrap, bool isBound = false)
    {
        (_revision, _options) = (pool.Revision, pool.Options);
        Invoker = new HttpMessageInvoker(wrap(CreateHandler(pool.Options, settings, isBound)), disposeHandler: true);
    }

    public HttpMessageInvoker Invoker { get; }

    /// <summary>Whether it serves the pool as well as a new client would.</summary>
    public bool Fits(PoolDefinition pool) => pool.Revision == _revision || HasSameSettings(pool.Options);

    /// <summary>Takes a reference.</summary>
    /// <returns><see langword="false"/> if it is already closed.</returns>
    public bool TryUse()
    {
        var uses = Volatile.Read(ref _uses);
        while (uses > 0)
        {
            var before = Interlocked.CompareExchange(ref _uses, uses + 1, uses);
            if (before == uses) return true;
            uses = before;
        }

        return false;
    }

    /// <summary>Releases a reference.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _uses) == 0) Invoker.Dispose();
    }

    private bool HasSameSettings(PoolOptions options)
        => options.Timeouts.Connect == _options.Timeouts.Connect && HasSameConnections(options.Connections) && HasSameTls(options.Tls);

    private bool HasSameConnections(KeptConnectionOptions connections)
        => connections.IdleTimeout == _options.Connections.IdleTimeout && connections.Lifetime == _options.Connections.Lifetime;

    // The file of authorities is read once per load of the configuration, so a new load needs a new client.
    private bool HasSameTls(TlsOptions tls)
        => tls.CaCertificateFile is null
            && _options.Tls.CaCertificateFile is null
            && tls.ServerName == _options.Tls.ServerName
            && tls.DangerousAcceptAnyCertificate == _options.Tls.DangerousAcceptAnyCertificate;

    private static SocketsHttpHandler CreateHandler(PoolOptions options, ClientSettings settings, bool isBound) => new()
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        EnableMultipleHttp2Connections = true,
        ConnectTimeout = options.Timeouts.Connect,
        ConnectCallback = settings.Dials.Over(new BackendConnector(options, settings, isBound).ConnectAsync),
        PooledConnectionIdleTimeout = options.Connections.IdleTimeout,
        PooledConnectionLifetime = isBound ? Timeout.InfiniteTimeSpan : options.Connections.Lifetime, // A bound connection is not replaced while it works.
        MaxConnectionsPerServer = isBound ? 1 : int.MaxValue,
        ActivityHeadersPropagator = new BackendPropagator(new ReverseProxyPropagator(DistributedContextPropagator.Current)),
        RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
        ResponseHeaderEncodingSelector = (_, _) => Encoding.Latin1,
    };
}

/// <summary>The settings that the HTTP clients of all pools share.</summary>
/// <param name="Names">Resolves names.</param>
/// <param name="Time">The clock.</param>
/// <param name="Dials">Measures the dials.</param>
/// <param name="Lane">The raw lane, if there is one.</param>
/// <param name="Budget">The descriptor budget, if there is a limit.</param>
/// <param name="Kept">The open connections, if descriptors are limited.</param>
internal sealed record ClientSettings(
    AddressBook Names, TimeProvider Time, DialMeter Dials, RawLane? Lane = null, DescriptorBudget? Budget = null, KeptConnections? Kept = null);
