using System.Buffers;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using StickyWs.Detection;
using StickyWs.TestKit;
using StickyWs.Tls;

namespace StickyWs.Fuzz;

/// <summary>
/// The reader of ClientHellos: no exception, one result however the bytes are split, and never another server than the one that OpenSSL sees in the same
/// bytes: a connection would go to a backend that its client did not mean. What OpenSSL understands and no host can be called is no server.
/// </summary>
internal sealed class ClientHelloTarget : IFuzzTarget
{
    private readonly X509Certificate2 _certificate = SelfSigned();
    private readonly TlsServerContext _context;
    private string? _seen;
    private bool _wasAsked;

    public ClientHelloTarget()
    {
        if (TlsSupport.FirstRefusal() is { } refusal) throw new PlatformNotSupportedException(refusal);
        _context = TlsServerContext.Create(new TlsServerSettings { Certificate = _certificate, Select = Select });
        var message = HelloForge.Message(HelloForge.Body(HelloForge.Usual("mail.example.com")));
        Corpus =
        [
            HelloForge.Hello("mail.example.com"),
            HelloForge.Hello("mail.example.com", HelloForge.Protocols("h2", "http/1.1")),
            HelloForge.Hello("Mail.Example.COM."),
            HelloForge.Hello("127.0.0.1"),
            HelloForge.Hello(null),
            HelloForge.Hello("outer.example.com", (0xFE0D, [0, 0, 1, 0, 1, 7, 0, 2, 1, 2, 0, 2, 3, 4])),
            HelloForge.Records(message, 1),
            HelloForge.Records(message, 100),
            HelloForge.Records(HelloForge.Message(HelloForge.BodyOf([]))),
            [.. HelloForge.Hello("a.example"), .. HelloForge.Hello("b.example")],
            HelloForge.OfRuntimeAsync("runtime.example.com", SslProtocols.Tls13 | SslProtocols.Tls12).GetAwaiter().GetResult(),
            HelloForge.OfRuntimeAsync("runtime.example.com", SslProtocols.Tls12).GetAwaiter().GetResult(),
        ];
        Dictionary =
        [
            [22, 3, 1, 0, 1], [22, 3, 1, 0, 0], [22, 3, 3, 0x40, 1], [21, 3, 3, 0, 2, 1, 0], [0, 0, 0, 14, 0, 12, 0, 0, 9, .. "a.example"u8],
            [0, 0], [1, 0, 0, 0], [0, 41], [0, 16, 0, 5, 0, 3, 2, .. "h2"u8], [0xFE, 0x0D], "b.example"u8.ToArray(), [0x0A, 0x0A, 0, 0], [255], [0],
            "."u8.ToArray(),
        ];
    }

    public IReadOnlyList<byte[]> Corpus { get; }

    public IReadOnlyList<byte[]> Dictionary { get; }

    public Task<bool> CheckAsync(byte[] input, Random random)
    {
        var state = new HelloReader().Read(new ReadOnlySequence<byte>(input), out var hello);
        Broken.If((state == HelloState.Complete) != (hello is { Fault: null }), $"{state} with {hello}.");
        Broken.If(state == HelloState.Faulty && hello?.Fault is null, "A fault without a cause.");
        CheckSplit(input, Splitter.Cuts(input.Length, random), state, hello);
        if (state != HelloState.Complete) return Task.FromResult(false);
        Broken.If(hello!.Length > input.Length, "It is longer than what came.");
        AskOpenSsl(input.AsSpan(0, hello.Length));
        var theirs = _seen is null ? null : ServerNames.Read(Encoding.UTF8.GetBytes(_seen));
        Broken.If(_wasAsked && hello.ServerName != theirs, $"The server is {hello.ServerName ?? "none"}, but {_seen ?? "none"} for OpenSSL.");
        return Task.FromResult(_wasAsked && hello.ServerName is not null);
    }

    public ValueTask DisposeAsync()
    {
        _context.Dispose();
        _certificate.Dispose();
        return ValueTask.CompletedTask;
    }

    private static void CheckSplit(byte[] input, int[] cuts, HelloState state, ClientHello? hello)
    {
        var reader = default(HelloReader);
        var (split, splitHello) = (HelloState.NeedMore, (ClientHello?)null);
        foreach (var cut in cuts)
        {
            split = reader.Read(Splitter.Join(input, cuts, cut), out splitHello);
            if (split != HelloState.NeedMore) break;
        }

        Broken.If(split != state || splitHello != hello,
            $"{state} {hello}, but {split} {splitHello} when the bytes come in {cuts.Length} pieces that end at {string.Join(", ", cuts)}.");
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=fuzz", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    // It asks for a certificate as soon as it has understood the message.
    private void AskOpenSsl(ReadOnlySpan<byte> bytes)
    {
        (_seen, _wasAsked) = (null, false);
        using var end = TlsEnd.Accept(_context);
        end.Receive(bytes);
    }

    private TlsServerContext? Select(string? name)
    {
        (_seen, _wasAsked) = (name, true);
        return null;
    }
}
