using System.Runtime.InteropServices;

namespace StickyWs.Kernel;

/// <summary>
/// One io_uring(7) instance: a submission queue that the kernel reads and a completion queue that it writes. It belongs to the thread that enabled
/// it. The kernel defers all its work until that thread enters it (<c>IORING_SETUP_DEFER_TASKRUN</c>): nothing interrupts the thread, and completions
/// come in batches.
/// </summary>
internal sealed unsafe class Uring : IDisposable
{
    private const uint IORING_SETUP_CQSIZE = 1 << 3;
    private const uint IORING_SETUP_R_DISABLED = 1 << 6;
    private const uint IORING_SETUP_SUBMIT_ALL = 1 << 7;
    private const uint IORING_SETUP_SINGLE_ISSUER = 1 << 12;
    private const uint IORING_SETUP_DEFER_TASKRUN = 1 << 13;

    private const uint IORING_FEAT_SINGLE_MMAP = 1 << 0;
    private const uint IORING_FEAT_NODROP = 1 << 1;
    private const uint IORING_FEAT_EXT_ARG = 1 << 8;
    private const uint IORING_FEAT_CQE_SKIP = 1 << 11;
    private const uint NeededFeatures = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP;

    private const uint IORING_SQ_CQ_OVERFLOW = 1 << 1;

    private const uint IORING_ENTER_GETEVENTS = 1 << 0;
    private const uint IORING_ENTER_EXT_ARG = 1 << 3;

    private const uint IORING_REGISTER_ENABLE_RINGS = 12;

    private const long IORING_OFF_SQES = 0x10000000;

    private readonly int _fd;
    private readonly byte* _shared;
    private readonly nuint _sharedSize;
    private readonly Submission* _submissions;
    private readonly uint _submissionCount;
    private readonly uint* _submissionHead;
    private readonly uint* _submissionTail;
    private readonly uint* _flags;
    private readonly uint* _lostCompletions;
    private readonly Completion* _completions;
    private readonly uint _completionMask;
    private readonly uint* _completionHead;
    private readonly uint* _completionTail;
    // Submissions that found the queue full.
    private readonly List<Submission> _waiting = [];
    private uint _tail;
    private uint _lost;
    private bool _isDisposed;

    /// <param name="submissions">The size of the submission queue: the most operations between two enters. A power of two.</param>
    /// <param name="completions">The size of the completion queue, a power of two. The kernel keeps any excess elsewhere, at a higher cost.</param>
    /// <exception cref="IOException">The kernel refuses.</exception>
    public Uring(uint submissions, uint completions)
    {
        const uint SetUpFlags = IORING_SETUP_CQSIZE | IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL
            | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
        var parameters = new UringParameters { Completions = completions, Flags = SetUpFlags };
        _fd = Libc.UringSetUp(submissions, &parameters);
        if (_fd < 0) throw Refused("io_uring_setup");
        if ((parameters.Features & NeededFeatures) != NeededFeatures)
        {
            _ = Libc.Close(_fd);
            throw new IOException($"io_uring_setup: needs the features {NeededFeatures:X}, has {parameters.Features & NeededFeatures:X}");
        }

        _submissionCount = parameters.Submissions;
        _sharedSize = Math.Max(
            parameters.SubmissionIndexes + (parameters.Submissions * sizeof(uint)),
            parameters.CompletionEntries + (parameters.Completions * (uint)sizeof(Completion)));
        _shared = Libc.MapShared(_sharedSize, _fd, 0);
        _submissions = (Submission*)Libc.MapShared(SubmissionsSize, _fd, IORING_OFF_SQES);
        if ((nint)_shared == -1 || (nint)_submissions == -1)
        {
            var refusal = Refused("mmap");
            Dispose();
            throw refusal;
        }

        _submissionHead = (uint*)(_shared + parameters.SubmissionHead);
        _submissionTail = (uint*)(_shared + parameters.SubmissionTail);
        _lostCompletions = (uint*)(_shared + parameters.CompletionsLost);
        _flags = (uint*)(_shared + parameters.SubmissionFlags);
        _completions = (Completion*)(_shared + parameters.CompletionEntries);
        _completionMask = parameters.Completions - 1;
        _completionHead = (uint*)(_shared + parameters.CompletionHead);
        _completionTail = (uint*)(_shared + parameters.CompletionTail);
        // The kernel finds submissions through an index array; ours are always in order.
        for (uint i = 0; i < _submissionCount; i++) ((uint*)(_shared + parameters.SubmissionIndexes))[i] = i;
    }

    /// <summary>The number of completions in the queue, without the work that the kernel has deferred.</summary>
    public uint Ready => Volatile.Read(ref *_completionTail) - *_completionHead;

    /// <summary>Whether the kernel holds completions that found the queue full; an enter delivers them.</summary>
    public bool HasOverflown => (Volatile.Read(ref *_flags) & IORING_SQ_CQ_OVERFLOW) != 0;

    /// <summary>Whether completions were lost, since the last call, because the kernel ran out of memory.</summary>
    public bool HasLost
    {
        get
        {
            var lost = Volatile.Read(ref *_lostCompletions);
            if (lost == _lost) return false;
            _lost = lost;
            return true;
        }
    }

    /// <summary>The number of operations requested so far, modulo 2^32.</summary>
    public uint Position => _tail + (uint)_waiting.Count;

    /// <summary>Whether the kernel has consumed all submissions before this position.</summary>
    public bool HasSubmitted(uint position) => (int)(Volatile.Read(ref *_submissionHead) - position) >= 0;

    private bool IsFull => _tail - Volatile.Read(ref *_submissionHead) == _submissionCount;

    private nuint SubmissionsSize => _submissionCount * (nuint)sizeof(Submission);

    /// <summary>Binds the ring to the calling thread.</summary>
    /// <exception cref="IOException">The kernel refuses.</exception>
    public void Enable() => Register(IORING_REGISTER_ENABLE_RINGS, null, 0);

    /// <summary>Registers a resource with the ring, or changes its state (io_uring_register(2)).</summary>
    /// <exception cref="IOException">The kernel refuses.</exception>
    public void Register(uint operation, void* argument, uint count)
    {
        if (Libc.UringRegister(_fd, operation, argument, count) < 0) throw Refused("io_uring_register");
    }

    /// <summary>A zeroed submission for the next operation, valid until the next call. The next enter submits it.</summary>
    public ref Submission Next()
    {
        if (IsFull || _waiting.Count > 0)
        {
            _waiting.Add(default);
            return ref CollectionsMarshal.AsSpan(_waiting)[^1];
        }

        ref var submission = ref _submissions[_tail++ & (_submissionCount - 1)];
        submission = default;
        return ref submission;
    }

    /// <summary>Submits what was requested, runs the kernel's deferred work and waits for completions.</summary>
    /// <param name="completions">How many to wait for.</param>
    /// <param name="microseconds">The longest wait; negative to wait without a limit.</param>
    /// <exception cref="IOException">The ring is no longer usable: a defect.</exception>
    public void Enter(uint completions, long microseconds)
    {
        while (_waiting.Count > 0)
        {
            LetIn();
            if (_waiting.Count == 0) break;
            var before = *_submissionHead;
            EnterOnce(0, 0);
            if (*_submissionHead == before) return; // The kernel accepts no more until completions are taken.
        }

        EnterOnce(completions, microseconds);
    }

    private void LetIn()
    {
        var count = 0;
        for (; count < _waiting.Count && !IsFull; count++) _submissions[_tail++ & (_submissionCount - 1)] = _waiting[count];
        _waiting.RemoveRange(0, count);
    }

    private void EnterOnce(uint completions, long microseconds)
    {
        Volatile.Write(ref *_submissionTail, _tail);
        var longest = stackalloc long[] { microseconds / 1_000_000, microseconds % 1_000_000 * 1000 };
        var argument = stackalloc ulong[] { 0, 0, completions > 0 && microseconds >= 0 ? (ulong)longest : 0 };
        const uint EnterFlags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
        var pending = _tail - Volatile.Read(ref *_submissionHead);
        if (Libc.UringEnter(_fd, pending, completions, EnterFlags, argument, 3 * sizeof(ulong)) >= 0) return;
        var error = Libc.SavedError;
        if (error is not (Errno.ETIME or Errno.EINTR or Errno.EAGAIN or Errno.EBUSY or Errno.ENOMEM))
        {
            throw error.ToIOException("io_uring_enter");
        }
    }

    /// <summary>Removes the next completion from the queue and returns it.</summary>
    public Completion Take()
    {
        var completion = _completions[*_completionHead & _completionMask];
        Volatile.Write(ref *_completionHead, *_completionHead + 1);
        return completion;
    }

    /// <summary>Releases the ring. The kernel cancels pending operations when the thread that enabled it ends.</summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        if (_shared != null && (nint)_shared != -1) _ = Libc.Unmap(_shared, _sharedSize);
        if (_submissions != null && (nint)_submissions != -1) _ = Libc.Unmap(_submissions, SubmissionsSize);
        _ = Libc.Close(_fd);
    }

    private static IOException Refused(string call) => new($"{call}: {Libc.SavedError}");
}
