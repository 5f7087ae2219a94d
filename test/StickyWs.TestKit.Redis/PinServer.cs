using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Garnet;
using Garnet.server;
using Garnet.server.Auth.Settings;
using Garnet.server.TLS;

namespace StickyWs.TestKit.Redis;

/// <summary>
/// A server of the Redis protocol in this process, in memory, on loopback. It can be stopped and started again on its port; what it held is then
/// gone.
/// </summary>
public sealed class PinServer : IDisposable
{
    private readonly string? _password;
    private readonly X509Certificate2? _certificate;
    private GarnetServer? _server;

    private PinServer(int port, string? password, X509Certificate2? certificate)
    {
        Port = port;
        _password = password;
        _certificate = certificate;
    }

    public int Port { get; }

    /// <summary>Where it listens, as <c>host:port</c>.</summary>
    public string Address => $"127.0.0.1:{Port}";

    /// <summary>Starts a server.</summary>
    /// <param name="port">The port, or 0 for a free one.</param>
    /// <param name="password">The password of the user <c>default</c>, or <see langword="null"/> for none.</param>
    /// <param name="certificate">The certificate for TLS, or <see langword="null"/> for plain connections.</param>
    public static PinServer Start(int port = 0, string? password = null, X509Certificate2? certificate = null)
    {
        var server = Stopped(port, password, certificate);
        server.Start();
        return server;
    }

    /// <summary>One that does not run yet, on a port that nobody listens on.</summary>
    public static PinServer Stopped(int port = 0, string? password = null, X509Certificate2? certificate = null)
        => new(port == 0 ? FreePort() : port, password, certificate);

    /// <summary>Starts it, or starts it again.</summary>
    public void Start()
    {
        _server = new GarnetServer(new GarnetServerOptions
        {
            EndPoints = [new IPEndPoint(IPAddress.Loopback, Port)],
            AuthSettings = _password is null ? null : new AclAuthenticationPasswordSettings(null, _password),
            TlsOptions = _certificate is null ? null : Tls(_certificate),
            QuietMode = true,
            LogMemorySize = "16m",
            PageSize = "1m",
            IndexMemorySize = "1m",
        });
        _server.Start();
    }

    /// <summary>Breaks all connections and listens no longer.</summary>
    public void Stop()
    {
        _server?.Dispose();
        _server = null;
    }

    public void Dispose() => Stop();

    private static GarnetTlsOptions Tls(X509Certificate2 certificate) => new(
        certFileName: null,
        certPassword: null,
        clientCertificateRequired: false,
        certificateRevocationCheckMode: X509RevocationMode.NoCheck,
        issuerCertificatePath: null,
        certSubjectName: null,
        certificateRefreshFrequency: 0,
        enableCluster: false,
        clientTargetHost: null,
        tlsServerOptionsOverride: new SslServerAuthenticationOptions { ServerCertificate = certificate });

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
