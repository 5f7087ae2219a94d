using System.Security.Cryptography;
using StickyWs.Kernel;

namespace StickyWs.Tls;

/// <summary>
/// The keys of session tickets. Those that are shared by all instances are replaced when they are configured anew. Without any, keys are random and
/// change every hour, and a ticket is good for as long as OpenSSL says it is: two hours. In memory that is not dumped, zeroed at the end. Safe for
/// concurrent use.
/// </summary>
internal sealed unsafe class TicketKeys : IDisposable
{
    /// <summary>Bytes of a secret that keys are derived from.</summary>
    public const int SecretLength = 32;

    /// <summary>Keys at a time. Further ones are ignored.</summary>
    public const int Most = 16;

    /// <summary>OpenSSL's words for a ticket that can be read, and for one whose client needs another.</summary>
    public const int Opened = 1, OpenedToReplace = 2;

    private const nuint PageSize = 4096;
    private const int RandomGenerations = 3;

    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly TicketKey* _keys; // The first one seals.
    private int _count;
    private bool _isShared;
    private long _since;
    private bool _isDisposed;

    /// <exception cref="InsufficientMemoryException">The kernel has no memory.</exception>
    public TicketKeys(TimeProvider time)
    {
        _time = time;
        _keys = (TicketKey*)SecretSlab.MapSecret(PageSize);
    }

    /// <summary>Uses keys that all instances derive from the same secrets. The first one seals, all of them open.</summary>
    /// <param name="secrets">Each of <see cref="SecretLength"/> bytes. None: random keys, which change.</param>
    public void Share(IReadOnlyList<byte[]> secrets)
    {
        lock (_lock)
        {
            if (_isShared || secrets.Count > 0) Clear();
            _isShared = secrets.Count > 0;
            foreach (var secret in secrets.Take(Most))
                HKDF.Expand(HashAlgorithmName.SHA256, secret, Span(_count++), "StickyWs session ticket"u8);
        }
    }

    /// <summary>OpenSSL makes a ticket: names the key and sets the contexts up.</summary>
    /// <returns>What OpenSSL's callback has to return: 1, or -1 for an error.</returns>
    public int Seal(byte* name, byte* iv, nint cipher, nint mac)
    {
        lock (_lock)
        {
            if (_isDisposed) return -1;
            Renew();
            RandomNumberGenerator.Fill(new Span<byte>(iv, TicketCipher.IvLength));
            new Span<byte>(_keys->Name, TicketKey.NameLength).CopyTo(new Span<byte>(name, TicketKey.NameLength));
            return TicketCipher.TryUse(_keys, iv, cipher, mac, isToSeal: true) ? 1 : -1;
        }
    }

    /// <summary>OpenSSL reads a ticket: finds its key and sets the contexts up.</summary>
    /// <returns>As <see cref="Seal"/>; also 0 where the key is unknown, and 2 where the client needs a ticket under the key of today.</returns>
    public int Open(byte* name, byte* iv, nint cipher, nint mac)
    {
        lock (_lock)
        {
            if (_isDisposed) return -1;
            Renew();
            var wanted = new ReadOnlySpan<byte>(name, TicketKey.NameLength);
            for (var i = 0; i < _count; i++)
            {
                if (!wanted.SequenceEqual(new ReadOnlySpan<byte>(_keys[i].Name, TicketKey.NameLength))) continue;
                if (!TicketCipher.TryUse(_keys + i, iv, cipher, mac, isToSeal: false)) return -1;
                return i == 0 ? Opened : OpenedToReplace;
            }

            return 0;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed) return;
            _isDisposed = true;
            Clear();
            _ = Libc.Unmap(_keys, PageSize);
        }
    }

    // The last but two cannot have a ticket that is still good.
    private void Renew()
    {
        if (_isShared || (_count > 0 && _time.GetElapsedTime(_since) < Lifetime)) return;
        var isOutdated = _count > 0 && _time.GetElapsedTime(_since) >= RandomGenerations * Lifetime;
        if (isOutdated) Clear();
        _count = Math.Min(_count + 1, RandomGenerations);
        for (var i = _count - 1; i > 0; i--) _keys[i] = _keys[i - 1];
        RandomNumberGenerator.Fill(Span(0));
        _since = _time.GetTimestamp();
    }

    private void Clear()
    {
        CryptographicOperations.ZeroMemory(new Span<byte>(_keys, Most * sizeof(TicketKey)));
        _count = 0;
    }

    private Span<byte> Span(int key) => new(_keys + key, sizeof(TicketKey));
}
