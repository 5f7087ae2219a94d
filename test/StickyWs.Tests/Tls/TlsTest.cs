using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>A slab of the test's own, which must be empty and zero at its end, and what is needed for a handshake with .NET's client.</summary>
public abstract class TlsTest : IDisposable
{
    private static readonly Lazy<X509Certificate2> OfRsa = new(CreateRsa);
    private readonly List<IDisposable> _made = [];

    protected TlsTest() => Assert.SkipUnless(TlsSupport.FirstRefusal() is null, TlsSupport.FirstRefusal() ?? "");

    internal SecretSlab Slab { get; } = new();

    protected static X509Certificate2 Rsa => OfRsa.Value;

    public void Dispose()
    {
        foreach (var made in _made.AsEnumerable().Reverse()) made.Dispose();
        Assert.Equal(0, Slab.InUse);
        Assert.True(Slab.IsZero());
        GC.SuppressFinalize(this);
    }

    internal static byte[] Bytes(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    internal static TlsServerSettings Settings(SslProtocols protocols = SslProtocols.None, bool keepsSsl = false)
        => new() { Certificate = TestCertificate.Server, Protocols = protocols, KeepsSsl = keepsSsl };

    internal static SslClientAuthenticationOptions ClientOptions(SslProtocols protocols = SslProtocols.None) => new()
    {
        TargetHost = "localhost",
        EnabledSslProtocols = protocols,
        AllowTlsResume = false,
        RemoteCertificateValidationCallback = static (_, _, _, _) => true,
    };

    internal TlsServerContext Context(TlsServerSettings settings) => Keep(TlsServerContext.Create(settings, Slab));

    internal TlsEnd Accept(TlsServerSettings settings) => Keep(TlsEnd.Accept(Context(settings)));

    internal T Keep<T>(T made)
        where T : IDisposable
    {
        _made.Add(made);
        return made;
    }

    /// <summary>A connection whose handshake is over.</summary>
    internal Connected Connect(TlsServerSettings settings, SslClientAuthenticationOptions? options = null, int piece = int.MaxValue)
        => Connect(Accept(settings), options, piece);

    internal Connected Connect(TlsEnd server, SslClientAuthenticationOptions? options = null, int piece = int.MaxValue)
    {
        var wire = new ServerStream(server, piece);
        var client = Keep(new SslStream(wire, leaveInnerStreamOpen: true));
        client.AuthenticateAsClient(options ?? ClientOptions());
        wire.Deliver();
        return new Connected(server, client, wire);
    }

    private static X509Certificate2 CreateRsa()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=rsa.test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
    }
}

/// <summary>Both ends of a connection in memory.</summary>
internal sealed record Connected(TlsEnd Server, SslStream Client, ServerStream Wire)
{
    /// <summary>Sends from the client, and returns what the server received.</summary>
    public byte[] ToServer(byte[] bytes)
    {
        var before = Wire.Received.Length;
        Client.Write(bytes);
        Wire.Deliver();
        return Wire.Received[before..];
    }

    /// <summary>Sends from the server, and returns what the client read.</summary>
    public byte[] ToClient(byte[] bytes)
    {
        Wire.Send(Server.Seal(bytes));
        var read = new byte[bytes.Length];
        Client.ReadExactly(read);
        return read;
    }
}
