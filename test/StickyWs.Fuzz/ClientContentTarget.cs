using StickyWs.TestKit;
using StickyWs.Tls;

namespace StickyWs.Fuzz;

/// <summary>
/// What stands within a server's records: an end of a client with the own record layer and one with OpenSSL's pass on the same data, and what OpenSSL
/// takes, the own one takes. An input is a script of a type, a length and the content of each record.
/// </summary>
internal sealed unsafe class ClientContentTarget : IFuzzTarget
{
    private const byte Alert = 21;
    private const byte Handshake = 22;
    private const byte Data = 23;
    private const int MostFlights = 4;

    private static readonly byte[] Ticket = [4, 0, 0, 17, 0, 0, 0, 9, 1, 2, 3, 4, 1, 7, 0, 3, 8, 8, 8, 0, 0];

    private readonly SecretSlab _slab = new();
    private readonly TlsServerContext _server;
    private readonly TlsClientContext _own;
    private readonly TlsClientContext _kept;

    public ClientContentTarget()
    {
        if (TlsSupport.FirstClientRefusal() is { } refusal) throw new PlatformNotSupportedException(refusal);
        _server = TlsServerContext.Create(new TlsServerSettings { Certificate = TestCertificate.Server, Tickets = 0 }, _slab);
        _own = TlsClientContext.Create(new TlsClientSettings(), _slab);
        _kept = TlsClientContext.Create(new TlsClientSettings { KeepsSsl = true }, _slab);
    }

    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        [Data, 3, 1, 2, 3, Data, 1, 4],
        [Handshake, 21, .. Ticket, Data, 1, 2],
        [Handshake, 10, .. Ticket[..10], Handshake, 11, .. Ticket[10..], Data, 1, 2],
        [Handshake, 26, .. Ticket, 24, 0, 0, 1, 1, Data, 1, 2],
        [Handshake, 5, 24, 0, 0, 1, 0, Handshake, 21, .. Ticket, Data, 1, 2],
        [Data, 2, 1, 2, Alert, 2, 1, 0, Data, 1, 3],
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } =
    [
        [Data, 0], [Data, 1, 7], [Alert, 2, 1, 0], [Alert, 2, 2, 20], [Handshake, 0], [20, 1, 1], [Handshake, 5, 24, 0, 0, 1, 0], Ticket, [4, 0, 0, 0],
        [Handshake, 21, .. Ticket], [Handshake, 42, .. Ticket, .. Ticket], [13, 0, 0, 0], [0, 3], [0, 0],
    ];

    public Task<bool> CheckAsync(byte[] input, Random random)
    {
        var (own, kept) = (Run(_own, input), Run(_kept, input));
        Broken.If(!own.Plain.StartsWith(kept.Plain, StringComparison.Ordinal) && !kept.Plain.StartsWith(own.Plain, StringComparison.Ordinal),
            $"{own}, but OpenSSL {kept}.");
        // OpenSSL also looks into the extensions of a ticket, which is forgotten here; and it waits for a whole header.
        Broken.If(kept.Status != TlsStatus.Failed && own.Status == TlsStatus.Failed && !own.IsTakenLater, $"{own}, but OpenSSL {kept}.");
        Broken.If(_slab.InUse != 0 || !_slab.IsZero(), "Secrets are left.");
        return Task.FromResult(own.Status != TlsStatus.Failed && own.Plain.Length > 0);
    }

    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        _own.Dispose();
        _kept.Dispose();
        return ValueTask.CompletedTask;
    }

    private Outcome Run(TlsClientContext context, byte[] script)
    {
        using var server = TlsEnd.Accept(_server);
        using var client = TlsEnd.Connect(context, null);
        var toServer = client.Start().ToPeer.ToArray();
        for (var flight = 0; flight < MostFlights && server.Status == TlsStatus.Handshaking; flight++)
        {
            var toClient = server.Receive(toServer).ToPeer.ToArray();
            toServer = client.Receive(toClient).ToPeer.ToArray();
        }

        if (!server.HasOwnRecords || client.Status != TlsStatus.Open) throw new InvalidOperationException(client.FailureReason ?? server.FailureReason);
        var plain = new List<byte>();
        var handshake = new List<byte>();
        for (var at = 0; at + 2 <= script.Length && client.Status == TlsStatus.Open;)
        {
            var (type, length) = (script[at], Math.Min(script[at + 1], script.Length - at - 2));
            var content = script.AsSpan(at + 2, length);
            at += 2 + length;
            plain.AddRange(client.Receive(Seal(server, type, content)).Plain);
            if (type == Handshake) handshake.AddRange(content);
            while (handshake.Count >= Ticket.Length && handshake.Take(4).SequenceEqual(Ticket.Take(4))) handshake.RemoveRange(0, Ticket.Length);
            if (handshake is not [24, 0, 0, 1, 0 or 1]) continue;
            handshake.Clear();
            KeySchedule.Update(&server.Keys->Write);
        }

        return new Outcome(client.Status, Convert.ToHexString([.. plain]), handshake.Count > 0, client.FailureReason);
    }

    private static byte[] Seal(TlsEnd server, byte type, ReadOnlySpan<byte> content)
    {
        var work = Workspace.StartSealing();
        _ = RecordLayer.TrySeal(work, &server.Keys->Write, (RecordType)type, content);
        return work.ToPeer.Written.ToArray();
    }

    private sealed record Outcome(TlsStatus Status, string Plain, bool IsTakenLater, string? Reason);
}
