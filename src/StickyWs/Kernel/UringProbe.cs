using StickyWs.Reactors;

namespace StickyWs.Kernel;

/// <summary>
/// Checks that the kernel has what an io_uring reactor needs, by using it once: sets up a ring with its buffers as a reactor would, and sends a byte
/// through it. This detects an old kernel, a switch (<c>kernel.io_uring_disabled</c>), a seccomp profile and a limit on locked memory; a version
/// number shows none of them.
/// </summary>
internal static unsafe class UringProbe
{
    private const int AF_UNIX = 1;
    private const uint IORING_REGISTER_PROBE = 8;
    private const int ProbeHeaderSize = 16;
    private const int ProbeEntrySize = 8;
    private const int ProbeEntries = 64;
    private const ushort IO_URING_OP_SUPPORTED = 1;
    private const long Patience = 5_000_000;
    private const int MoreThanFits = 4 * 1024 * 1024;

    private static readonly UringOperation[] Needed =
    [
        UringOperation.IORING_OP_POLL_ADD, UringOperation.IORING_OP_SENDMSG, UringOperation.IORING_OP_ASYNC_CANCEL,
        UringOperation.IORING_OP_CLOSE, UringOperation.IORING_OP_SEND, UringOperation.IORING_OP_RECV,
    ];

    /// <summary>The first thing that is refused, or <see langword="null"/>. Linux only.</summary>
    public static string? FirstRefusal()
    {
        try
        {
            using var ring = new Uring(8, 16);
            ring.Enable();
            return FirstMissing(ring) ?? Try(ring);
        }
        catch (Exception e) when (e is IOException or DllNotFoundException or EntryPointNotFoundException)
        {
            return e.Message;
        }
    }

    private static string? FirstMissing(Uring ring)
    {
        var probe = stackalloc byte[ProbeHeaderSize + (ProbeEntries * ProbeEntrySize)];
        new Span<byte>(probe, ProbeHeaderSize + (ProbeEntries * ProbeEntrySize)).Clear();
        ring.Register(IORING_REGISTER_PROBE, probe, ProbeEntries);
        foreach (var operation in Needed)
        {
            var isSupported = (*(ushort*)(probe + ProbeHeaderSize + ((int)operation * ProbeEntrySize) + 2) & IO_URING_OP_SUPPORTED) != 0;
            if (!isSupported) return $"io_uring has no {operation}";
        }

        return null;
    }

    private static string? Try(Uring ring)
    {
        var ends = stackalloc int[2];
        if (Libc.SocketPair(AF_UNIX, Libc.SOCK_STREAM | Libc.O_NONBLOCK | Libc.O_CLOEXEC, 0, ends) < 0) return $"socketpair: {Libc.Error}";
        UringBuffers? buffers = null;
        try
        {
            buffers = new UringBuffers(ring, 2, 4096);
            return Exchange(ring, ends[0], ends[1]) ?? Overfill(ring, ends[1]);
        }
        finally
        {
            _ = Libc.Close(ends[0]);
            _ = Libc.Close(ends[1]);
            ring.Dispose(); // Before the memory that it receives into.
            buffers?.Dispose();
        }
    }

    private static string? Exchange(Uring ring, int from, int to)
    {
        var text = (byte)'x';
        ref var receive = ref ring.Next();
        (receive.Operation, receive.Fd, receive.Flags) = (UringOperation.IORING_OP_RECV, to, Submission.IOSQE_BUFFER_SELECT);
        (receive.Options, receive.BufferGroup) = (Submission.IORING_RECV_MULTISHOT, UringBuffers.Group);
        ref var send = ref ring.Next();
        (send.Operation, send.Fd, send.Address, send.Length) = (UringOperation.IORING_OP_SEND, from, (ulong)&text, 1);
        send.OperationFlags = Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT;
        ring.Enter(2, Patience);
        var isReceived = false;
        while (ring.Ready > 0)
        {
            var completion = ring.Take();
            if (completion.Error != Errno.None) return $"an io_uring operation failed: {completion.Error}";
            isReceived |= completion.Buffer >= 0 && completion is { GoesOn: true, Result: 1 };
        }

        return isReceived ? null : "io_uring received nothing";
    }

    // With IOSQE_CQE_SKIP_SUCCESS a short send must still complete visibly.
    private static string? Overfill(Uring ring, int from)
    {
        var bytes = Libc.MapPrivate(MoreThanFits);
        if ((nint)bytes == -1) return "mmap: no memory";
        try
        {
            ref var send = ref ring.Next();
            (send.Operation, send.Fd, send.Flags) = (UringOperation.IORING_OP_SEND, from, Submission.IOSQE_CQE_SKIP_SUCCESS);
            (send.Address, send.Length) = ((ulong)bytes, MoreThanFits);
            send.OperationFlags = Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT | Libc.MSG_WAITALL;
            ring.Enter(0, 0);
            return ring.Ready > 0 && ring.Take().Result is > 0 and < MoreThanFits ? null : "io_uring does not report a short send";
        }
        finally
        {
            _ = Libc.Unmap(bytes, MoreThanFits);
        }
    }
}
