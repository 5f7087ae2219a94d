using System.Security.Cryptography;
using StickyWs.Kernel;

namespace StickyWs.Tls;

/// <summary>
/// Where secrets and keys live: pages of their own, outside of the garbage collector's reach, which copies, and outside of core dumps. An entry is
/// zeroed when it is returned, and then used again. Pages stay mapped. All members are safe for concurrent use.
/// </summary>
internal sealed unsafe class SecretSlab
{
    private const int ChunkSize = 256 * 1024;

    private readonly Lock _gate = new();
    private readonly List<nint> _chunks = [];
    private readonly Stack<nint> _returned = new();
    private int _nextInChunk = PerChunk;

    /// <summary>The process's own.</summary>
    public static SecretSlab Shared { get; } = new();

    /// <summary>Entries that are not returned.</summary>
    public int InUse { get; private set; }

    private static int PerChunk => ChunkSize / sizeof(ConnectionKeys);

    /// <summary>Zeroed pages that are kept out of core dumps.</summary>
    /// <exception cref="InsufficientMemoryException">The kernel has no memory.</exception>
    public static void* MapSecret(nuint size)
    {
        var pages = Libc.MapPrivate(size);
        if ((nint)pages == -1) throw new InsufficientMemoryException("mmap: no memory for the secrets of TLS");
        // Refused by kernels before 3.4 only, which .NET does not run on.
        _ = Libc.AdviseMemory(pages, size, Libc.MADV_DONTDUMP);
        return pages;
    }

    /// <summary>A zeroed entry.</summary>
    /// <exception cref="InsufficientMemoryException">The kernel has no memory.</exception>
    public ConnectionKeys* Rent()
    {
        lock (_gate)
        {
            if (!_returned.TryPop(out var entry)) entry = Next();
            InUse++;
            return (ConnectionKeys*)entry;
        }
    }

    /// <summary>Zeroes an entry and takes it back.</summary>
    public void Return(ConnectionKeys* entry)
    {
        CryptographicOperations.ZeroMemory(new Span<byte>(entry, sizeof(ConnectionKeys)));
        lock (_gate)
        {
            _returned.Push((nint)entry);
            InUse--;
        }
    }

    /// <summary>Whether no byte of any page is set, for tests.</summary>
    public bool IsZero()
    {
        lock (_gate)
        {
            return _chunks.TrueForAll(chunk => !new ReadOnlySpan<byte>((void*)chunk, ChunkSize).ContainsAnyExcept((byte)0));
        }
    }

    private nint Next()
    {
        if (_nextInChunk == PerChunk)
        {
            _chunks.Add((nint)MapSecret(ChunkSize));
            _nextInChunk = 0;
        }

        return _chunks[^1] + (_nextInChunk++ * sizeof(ConnectionKeys));
    }
}
