using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using StickyWs.Tls;

namespace StickyWs.Fuzz;

/// <summary>
/// A client behind its handshake with a real server's end, that seals whatever it is told to with the connection's own secrets: content of any type.
/// </summary>
internal sealed unsafe class RecordPeer : IDisposable
{
    [ThreadStatic]
    private static byte[]? _clientSecret;

    [ThreadStatic]
    private static byte[]? _serverSecret;

    private readonly SecretSlab _slab;
    private readonly ConnectionKeys* _keys;

    /// <exception cref="InvalidOperationException">The handshake fails.</exception>
    public RecordPeer(TlsServerContext context, SecretSlab slab)
    {
        _slab = slab;
        _keys = slab.Rent();
        End = TlsEnd.Accept(context);
        using var client = new TlsSelfTestClient(own => OpenSsl.SSL_CTX_set_keylog_callback(own, &OnSecret));
        var toServer = client.Receive([], out _);
        for (var flight = 0; flight < 3; flight++)
        {
            var toClient = End.Receive(toServer).ToPeer.ToArray();
            // Those of the last flight are its tickets.
            _keys->Read.Sequence = Records(toClient);
            toServer = client.Receive(toClient, out _);
            if (End.Status == TlsStatus.Open) break;
        }

        if (End.TakeFacts() is not { Protocol: SslProtocols.Tls13 } facts) throw new InvalidOperationException(End.FailureReason);
        Set(&_keys->Write, facts, _clientSecret!, 0);
        Set(&_keys->Read, facts, _serverSecret!, _keys->Read.Sequence);
    }

    public TlsEnd End { get; }

    public byte[] Seal(byte type, ReadOnlySpan<byte> content)
    {
        var work = Workspace.StartSealing();
        _ = RecordLayer.TrySeal(work, &_keys->Write, (RecordType)type, content);
        return work.ToPeer.Written.ToArray();
    }

    /// <summary>After a KeyUpdate was sealed.</summary>
    public void Update() => KeySchedule.Update(&_keys->Write);

    /// <summary>The alert in what the server sent; 0 if there is none.</summary>
    public byte Alert(ReadOnlySpan<byte> sent)
    {
        var work = Workspace.StartReceiving();
        while (!sent.IsEmpty)
        {
            var length = RecordLayer.HeaderLength + ((sent[3] << 8) | sent[4]);
            var content = RecordLayer.Open(work, &_keys->Read, sent[..length], out var type);
            Broken.If(content < 0, "The server sent a record that cannot be opened.");
            if (type == RecordType.Alert) return work.Plain.Reserve(2)[1];
            // Its answer to a KeyUpdate.
            if (type == RecordType.Handshake) KeySchedule.Update(&_keys->Read);
            work.Forget();
            sent = sent[length..];
        }

        return 0;
    }

    public void Dispose()
    {
        End.Dispose();
        _slab.Return(_keys);
    }

    private static void Set(TrafficKeys* keys, TlsFacts facts, byte[] secret, ulong sequence)
    {
        secret.CopyTo(new Span<byte>(keys->Secret, TrafficKeys.MostSecret));
        (keys->SecretLength, keys->Suite) = ((byte)secret.Length, RecordSuite.Of(facts.Suite));
        KeySchedule.Derive(keys);
        keys->Sequence = sequence;
    }

    private static ulong Records(ReadOnlySpan<byte> bytes)
    {
        var count = 0ul;
        for (; !bytes.IsEmpty; count++) bytes = bytes[(RecordLayer.HeaderLength + ((bytes[3] << 8) | bytes[4]))..];
        return count;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnSecret(nint ssl, byte* text)
    {
        var line = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text);
        var secret = line[(line.LastIndexOf((byte)' ') + 1)..];
        if (line.StartsWith("CLIENT_TRAFFIC_SECRET_0 "u8)) _clientSecret = Convert.FromHexString(secret);
        if (line.StartsWith("SERVER_TRAFFIC_SECRET_0 "u8)) _serverSecret = Convert.FromHexString(secret);
    }
}
