using System.Diagnostics;
using System.Runtime.InteropServices;

namespace StickyWs.Tls;

/// <summary>
/// One end of a TLS connection, without a socket: bytes in, bytes out. OpenSSL does the handshake. A TLS 1.3 connection then goes on with an own
/// record layer and without an SSL object; others keep theirs. Calls are serialized by the caller, but may come from different threads. Owns native
/// memory and has no finalizer: whoever accepts it disposes of it.
/// </summary>
internal sealed unsafe partial class TlsEnd : IDisposable
{
    private const int FirstHold = 64;

    private readonly SecretSlab _slab;
    private readonly uint _recordsPerKey;
    private readonly bool _isClient;

    // A server's context, until the handshake is over, so that a replaced certificate is not kept alive; or a client's sessions, until they are
    // forgotten. Both in one field, as an idle end has neither.
    private object? _handshaking;
    private TlsFacts? _facts;
    private nint _ssl;
    private ConnectionKeys* _keys;
    private byte* _held;
    private int _heldLength;
    private int _heldCapacity;
    private bool _isClosed;
    private bool _isDisposed;

    private TlsEnd(SecretSlab slab, uint recordsPerKey, bool isClient) => (_slab, _recordsPerKey, _isClient) = (slab, recordsPerKey, isClient);

    private TlsEnd(TlsContext context)
        : this(context.Slab, context.RecordsPerKey, context is TlsClientContext)
    {
        if (context.HasOwnRecords) _keys = context.Slab.Rent();
        try
        {
            _ssl = context.Open();
        }
        catch
        {
            ReturnKeys();
            throw;
        }
    }

    public TlsStatus Status { get; private set; }

    /// <summary>
    /// Whether part of a record waits for its rest, or data for the rest of the peer's message: an end of the connection now would be a truncation.
    /// </summary>
    public bool HoldsPart => _heldLength > 0 || _unsealed is not null;

    /// <summary>Whether the SSL object is gone and the own record layer goes on. Stays so after a failure.</summary>
    public bool HasOwnRecords { get; private set; }

    /// <summary>For a Debug log line, after <see cref="TlsStatus.Failed"/>.</summary>
    public string? FailureReason { get; private set; }

    /// <summary>The slab's entry, for tests.</summary>
    public ConnectionKeys* Keys => _keys;

    /// <summary>A server's end. The context may be disposed of afterwards.</summary>
    /// <exception cref="ObjectDisposedException">The context is disposed of.</exception>
    public static TlsEnd Accept(TlsServerContext context) => new(context) { _handshaking = context };

    /// <summary>A client's end; <see cref="Start"/> begins. The context may be disposed of afterwards.</summary>
    /// <param name="context">What its handshakes share.</param>
    /// <param name="serverName">The name to ask for (SNI), in ASCII; <see langword="null"/> for none.</param>
    /// <exception cref="ObjectDisposedException">The context is disposed of.</exception>
    public static TlsEnd Connect(TlsClientContext context, string? serverName)
    {
        var end = new TlsEnd(context);
        if (context.KeepsSessions) end._handshaking = new SessionTaker();
        if (serverName is not null) end.AskFor(serverName);
        return end;
    }

    /// <summary>Whether a handshake can begin with these bytes: they hold its first record, or none that OpenSSL would wait for.</summary>
    public static bool IsWholeRecord(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < RecordLayer.HeaderLength) return false;
        return bytes.Length >= RecordLayer.HeaderLength + Announced(bytes) || Announced(bytes) > MostForOpenSsl;
    }

    /// <summary>An end behind its handshake, for tests: RFC 8448's vectors, and hostile records.</summary>
    public static TlsEnd Resume(
        SecretSlab slab, RecordSuite suite, ReadOnlySpan<byte> readSecret, ReadOnlySpan<byte> writeSecret, uint recordsPerKey, int fragment,
        bool isClient = false)
    {
        var end = new TlsEnd(slab, recordsPerKey, isClient) { _keys = slab.Rent() };
        end.SetSecret(&end._keys->Read, readSecret);
        end.SetSecret(&end._keys->Write, writeSecret);
        end.StartOwnRecords(suite, fragment);
        end.Status = TlsStatus.Open;
        return end;
    }

    /// <summary>The first flight of a client.</summary>
    public TlsStep Start()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var work = Workspace.StartReceiving();
        Handshake(work, []);
        return new TlsStep(Status, [], work.ToPeer.Written);
    }

    /// <summary>
    /// Takes all bytes. An incomplete record is kept until its rest arrives. After close_notify or a failure, bytes are ignored.
    /// </summary>
    public TlsStep Receive(ReadOnlySpan<byte> bytes)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var work = Workspace.StartReceiving();
        while (Status is TlsStatus.Handshaking or TlsStatus.Open)
        {
            if (_heldLength == 0 && bytes.Length >= RecordLayer.HeaderLength && Wanted(bytes) is var whole && whole <= bytes.Length)
            {
                Process(work, bytes[..whole]);
                bytes = bytes[whole..];
                continue;
            }

            if (!TryComplete(ref bytes)) break;
            Process(work, new ReadOnlySpan<byte>(_held, _heldLength));
            DropHeld();
        }

        if (Status is TlsStatus.PeerClosed or TlsStatus.Failed) DropHeld();
        return new TlsStep(Status, work.Plain.Written, work.ToPeer.Written);
    }

    /// <summary>
    /// Records for all of <paramref name="plain"/>, each of at most 16 KiB or what was agreed. Valid until this thread's next call of any end. If the
    /// status is <see cref="TlsStatus.Failed"/> afterwards, records are missing. No bytes make no record. With an SSL object, records may also come with a
    /// later <see cref="Receive"/>: OpenSSL writes nothing within a message that the peer has split.
    /// </summary>
    /// <exception cref="InvalidOperationException">The handshake is not over, the end failed, or <see cref="Close"/> was called.</exception>
    public ReadOnlySpan<byte> Seal(ReadOnlySpan<byte> plain)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (Status is not (TlsStatus.Open or TlsStatus.PeerClosed) || _isClosed)
        {
            throw new InvalidOperationException($"Nothing can be sealed: {Status}{(_isClosed ? ", closed" : "")}.");
        }

        var work = Workspace.StartSealing();
        if (HasOwnRecords) SealOwn(work, plain);
        else SealKept(work, plain);
        return work.ToPeer.Written;
    }

    /// <summary>close_notify, once. Empty afterwards, during the handshake and after a failure. Receiving goes on.</summary>
    public ReadOnlySpan<byte> Close()
    {
        var work = Workspace.StartSealing();
        if (_isDisposed || _isClosed || Status is not (TlsStatus.Open or TlsStatus.PeerClosed)) return [];
        _isClosed = true;
        if (HasOwnRecords) CloseOwn(work);
        else CloseKept(work);
        return work.ToPeer.Written;
    }

    /// <summary>Once, after the handshake.</summary>
    public TlsFacts? TakeFacts()
    {
        var facts = _facts;
        _facts = null;
        return facts;
    }

    /// <summary>Zeroes the secrets and frees native memory. At any time, also repeatedly.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        Release();
    }

    private void Process(Workspace work, ReadOnlySpan<byte> record)
    {
        if (HasOwnRecords) ReadOwn(work, record);
        else if (Status == TlsStatus.Handshaking) Handshake(work, record);
        else ReadKept(work, record);
    }

    private void Fail(string reason)
    {
        Status = TlsStatus.Failed;
        FailureReason = reason;
        Release();
    }

    private void Release()
    {
        if (_ssl != 0)
        {
            // Otherwise OpenSSL takes the session for broken.
            OpenSsl.SSL_set_shutdown(_ssl, OpenSsl.SSL_SENT_SHUTDOWN | OpenSsl.SSL_RECEIVED_SHUTDOWN);
            OpenSsl.SSL_free(_ssl);
            OpenSsl.ERR_clear_error();
            _ssl = 0;
        }

        ReturnKeys();
        _unsealed = null;
        // A record that failed stands in there until the step ends.
        if (_isDisposed) DropHeld();
        ForgetSessions();
        _handshaking = null;
    }

    private void ReturnKeys()
    {
        if (_keys == null) return;
        _slab.Return(_keys);
        _keys = null;
    }

    // A header that is refused counts as a whole record: nobody waits for its body.
    private int Wanted(ReadOnlySpan<byte> bytes)
        => bytes.Length < RecordLayer.HeaderLength || IsRefused(bytes) ? RecordLayer.HeaderLength : RecordLayer.HeaderLength + Announced(bytes);

    private bool IsRefused(ReadOnlySpan<byte> header)
        => HasOwnRecords
            ? header[0] != (byte)RecordType.ApplicationData || Announced(header) > RecordLayer.MostCiphertext
            : header[0] is < (byte)RecordType.ChangeCipherSpec or > (byte)RecordType.ApplicationData || header[1] != 3 || Announced(header) > MostForOpenSsl;

    private static int Announced(ReadOnlySpan<byte> header) => (header[3] << 8) | header[4];

    // Whether what is held has become a whole record.
    private bool TryComplete(ref ReadOnlySpan<byte> bytes)
    {
        while (true)
        {
            var wanted = Wanted(new ReadOnlySpan<byte>(_held, _heldLength));
            var missing = wanted - _heldLength;
            if (missing == 0) return true;
            if (bytes.IsEmpty) return false;
            var taken = Math.Min(missing, bytes.Length);
            Hold(bytes[..taken], wanted);
            bytes = bytes[taken..];
        }
    }

    // Grows with what arrives: a header alone must not cost 16 KiB.
    private void Hold(ReadOnlySpan<byte> bytes, int wanted)
    {
        var needed = _heldLength + bytes.Length;
        Debug.Assert(needed <= wanted);
        if (needed > _heldCapacity)
        {
            _heldCapacity = Math.Max(FirstHold, Math.Max(needed, Math.Min(wanted, _heldCapacity * 2)));
            _held = (byte*)NativeMemory.Realloc(_held, (nuint)_heldCapacity);
        }

        bytes.CopyTo(new Span<byte>(_held + _heldLength, bytes.Length));
        _heldLength = needed;
    }

    private void DropHeld()
    {
        NativeMemory.Free(_held);
        _held = null;
        _heldLength = _heldCapacity = 0;
    }
}
