using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Passthrough;

/// <summary>Tests of TLS that is passed through to backends with certificates of their own.</summary>
public abstract class PassthroughTest : BalancerTest
{
    protected const string Name = "mail.example.test";

    /// <summary>The alert internal_error, as a record.</summary>
    protected const string Sorry = "\x15\x03\x03\x00\x02\x02\x50";

    private static readonly Lazy<X509Certificate2> OfBackends = new(() => SelfSigned(Name));

    public static TheoryData<Door> Doors { get; } = new(Enum.GetValues<Door>());

    public static TheoryData<Door> HttpsDoors { get; } = new(Enum.GetValues<Door>().Where(IsHttps));

    protected static bool IsHttps(Door door) => door is not (Door.Plain or Door.PlainPortable);

    protected static string Lane(Door door) => door is Door.HttpsPortable or Door.PlainPortable || !OperatingSystem.IsLinux() ? "portable" : "raw";

    /// <summary>A pool for <see cref="Name"/> and whatever is directly below <c>wild.test</c>.</summary>
    protected static LiveSettings Passing(params string[] addresses) => new LiveSettings().WithPool("mail", addresses)
        .With("Pools:mail:Tls", "Passthrough")
        .With("Pools:mail:Match:ServerNames:0", Name)
        .With("Pools:mail:Match:ServerNames:1", "*.wild.test");

    protected static string AddressOf(RawBackend backend) => $"tcp://127.0.0.1:{backend.Port}";

    /// <summary>A backend that ends TLS with a certificate of its own, and says its name and then whatever it is told.</summary>
    protected RawBackend StartTls(string says = "hello ") => Owned(RawBackend.Start(
        async (_, wire) =>
        {
            await wire.WriteAsync(says);
            var buffer = new byte[64 * 1024];
            while (await wire.ReadAsync(buffer) is > 0 and var read) await wire.WriteAsync(buffer.AsMemory(0, read));
            await wire.FinishAsync();
        },
        certificate: OfBackends.Value));

    /// <summary>A backend that answers a ClientHello with one byte, and leaves the rest to the test.</summary>
    protected RawBackend StartBare(List<byte[]>? hellos = null) => Owned(RawBackend.Start(async (backend, wire) =>
    {
        var header = await wire.ReadExactlyAsync(5);
        byte[] hello = [.. header, .. await wire.ReadExactlyAsync((header[3] << 8) | header[4])];
        lock (hellos ?? []) hellos?.Add(hello);
        await wire.WriteAsync("!");
        backend.GiveToTest(wire);
    }));

    protected Balancer Start(Door door, LiveSettings settings)
    {
        settings.With("Transport:RawLane", Lane(door) == "raw" ? "On" : "Off")
            .With("Transport:Tls", door is Door.HttpsRaw or Door.HttpsRawEpoll ? "Auto" : "SslStream")
            .With("Transport:Reactor", door == Door.HttpsRawEpoll ? "Epoll" : "Auto");
        return Owned(Balancer.Start(
            settings,
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => Prepare(listen, door)),
            builder => builder.ConfigureLogging(logging => logging.AddFilter("StickyWs", LogLevel.Debug))));
    }

    protected async Task<RawClient> ConnectAsync(Balancer balancer)
        => OwnedClient(await RawClient.ConnectAsync(new Uri($"http://127.0.0.1:{balancer.Address.Port}")));

    /// <summary>A client with an open tunnel to a bare backend.</summary>
    protected async Task<(RawClient Client, Wire Backend)> OpenAsync(Balancer balancer, RawBackend backend)
    {
        var client = await ConnectAsync(balancer);
        await client.WriteAsync(HelloForge.Hello(Name));
        Assert.Equal("!", await client.ReadTextAsync(1));
        return (client, await backend.NextTunnelAsync());
    }

    /// <summary>A client of TLS, after its handshake.</summary>
    protected async Task<SslStream> SecureAsync(Balancer balancer, string name, SslProtocols protocols = SslProtocols.None)
    {
        var socket = new TcpClient { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, balancer.Address.Port, Wait.Token());
        var stream = OwnedClient(new SslStream(socket.GetStream()));
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = name,
            EnabledSslProtocols = protocols,
            RemoteCertificateValidationCallback = static (_, _, _, _) => true,
        };
        await stream.AuthenticateAsClientAsync(options, Wait.Token());
        return stream;
    }

    protected static async Task<string> ReadAsync(SslStream stream, int length)
    {
        var bytes = new byte[length];
        await stream.ReadExactlyAsync(bytes, Wait.Token());
        return System.Text.Encoding.Latin1.GetString(bytes);
    }

    /// <summary>The names of the certificates that clients of a server see.</summary>
    protected async Task<string> SubjectAsync(Balancer balancer, string name) => (await SecureAsync(balancer, name)).RemoteCertificate!.Subject;

    /// <summary>The last event of that name.</summary>
    protected static string? Logged(Balancer balancer, string name) => balancer.Log.Lines.LastOrDefault(line => line.Event == name)?.Text;

    protected static Balancer Verbose(Balancer balancer)
    {
        balancer.Log.Level = LogLevel.Debug;
        return balancer;
    }

    private static void Prepare(ListenOptions listen, Door door)
    {
        if (IsHttps(door)) listen.UseHttps(TestCertificate.Server);
        if (door == Door.HttpsSniffedInside) listen.UseStickyWebSocketBalancing();
    }

    private static X509Certificate2 SelfSigned(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        using var bare = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(bare.Export(X509ContentType.Pkcs12), null);
    }
}
